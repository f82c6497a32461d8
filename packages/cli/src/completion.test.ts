import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'

import { createProgram } from './arguments.ts'
import { printCompletion, type Shell, shells } from './completion.ts'
import { placesOf } from './completion-places.ts'
import type { Output } from './output.ts'

const program = createProgram('http://127.0.0.1:9901', async () => {})
const isHere = (shell: Shell): boolean => {
  try {
    execFileSync(shell, ['-c', 'true'])
    return true
  } catch {
    return false
  }
}

test.each([
  ['a command', ['se'], ['sessions']],
  ['all commands of a command', ['sessions', ''], ['list', 'show', 'count', 'watch', 'move', 'end']],
  ['a command of a command', ['nodes', 'r'], ['restart']],
  ['an option', ['sessions', 'list', '--p'], ['--pool']],
  ['an option of every command, anywhere', ['sessions', 'list', '--out'], ['--output']],
  ['an option behind those of the program', ['--admin', 'unix:/s', 'load', '--po'], ['--pool']],
  ['an option behind an argument', ['cookies', 'an-id', '--po'], ['--pool']],
  ['a choice', ['-o', ''], ['text', 'json']],
  ['an argument with choices', ['completion', 'z'], ['zsh']],
  ['a pool', ['load', '--pool', 's'], ['shop']],
  ['a backend', ['sessions', 'move', 'an-id', '--to', ''], ['a', 'b']],
  ['a backend by its pool', ['sessions', 'move', '--from', 'shop/'], ['shop/a', 'shop/b']],
  ['a node', ['nodes', 'restart', '--node', ''], ['n1']],
  ['an argument that is a backend', ['backends', 'drain', ''], ['shop/a', 'shop/b']],
  ['an option beside an argument that is a backend', ['backends', 'drain', '--ti'], ['--timeout']],
  ['nothing where anything may stand', ['sessions', '--limit', ''], []],
  ['nothing that it does not know', ['sessions', 'frob'], []],
])('bash completes %s', async (_, words, completed) => {
  expect((await completedByBash(words)).offered).toEqual(completed)
})

test.each([
  [['load', '--pool', ''], 'names pool'],
  [['--admin', 'http://10.0.0.1:9901', 'load', '--pool', ''], '--admin http://10.0.0.1:9901 names pool'],
  [['load', '--token-file', '/t', '--admin=unix:/s', '--pool', ''], '--token-file /t --admin=unix:/s names pool'],
])('for names in %j bash asks the node that the command is for', async (words, asked) => {
  expect((await completedByBash(words)).asked).toBe(asked)
})

describe.each(shells)('the script for %s', (shell) => {
  const places = placesOf(program)

  test.each(places.map((place) => [place.path, place] as const))(
    'offers all that may stand behind "%s"',
    async (path, place) => {
      const lines = linesAt(shell, path, await scriptFor(shell))

      expect(lines).not.toBe('')
      for (const { word } of place.words) expect(lines).toContain(word)
      for (const { names } of place.options) expect(lines).toContain(names.at(-1)!.replace(/^-+/, ''))
      if (place.kind !== undefined) expect(lines).toContain(place.kind)
    },
  )

  test('asks for names, files and choices where they may stand', async () => {
    const script = await scriptFor(shell)

    for (const line of valuesOffered[shell]) expect(script).toMatch(line)
  })

  test('ends every text that it begins', async () => {
    const lines = (await scriptFor(shell)).split('\n')

    const open = lines.filter((line) => (line.replaceAll(/'\\''|\\\\|\\'/g, '').match(/'/g) ?? []).length % 2 === 1)
    expect(open).toEqual([])
  })
})

test.each(shells.filter(isHere))('%s takes its script', async (shell) => {
  await promisify(execFile)(shell, ['-n', '-c', await scriptFor(shell)])
})

/** Where the values of some options are offered. */
const valuesOffered: Readonly<Record<Shell, readonly RegExp[]>> = {
  bash: [
    /--backend \| --to\) .*_sticky_cli_names backend\)/,
    /--from\) .*_sticky_cli_names pool\/backend\)/,
    /--token-file\) .*compgen -f/,
    /--then\) .*'move wait end'/,
  ],
  zsh: [
    /--backend\|--to\) _sticky_cli_names backend;/,
    /--from\) _sticky_cli_names pool\/backend;/,
    /--token-file\) _files;/,
    /--then\) compadd -- 'move' 'wait' 'end';/,
    // Sourced, or found as a file of `fpath` and called at once.
    /^#compdef sticky-cli\n.*if \[\[ \$funcstack\[1\] == _sticky-cli \]\]; then _sticky_cli "\$@"; else compdef _sticky_cli sticky-cli; fi\n$/s,
  ],
  fish: [
    /"sessions move"' -l to -x -a '\(__sticky_cli_names backend\)'/,
    /"sessions move"' -l from -x -a '\(__sticky_cli_names pool\/backend\)'/,
    /"sessions move"' -l token-file -r -F/,
    /"backends drain"' -l then -x -a 'move wait end'/,
  ],
}

/** The lines about one place. */
function linesAt(shell: Shell, path: string, script: string): string {
  const beginning = shell === 'fish' ? `complete -c sticky-cli -n '__sticky_cli_at "${path}"' ` : `    '${path}') `
  const lines = script.split('\n').filter((line) => line.startsWith(beginning))
  return lines.map((line) => line.slice(beginning.length)).join('\n')
}

async function scriptFor(shell: Shell): Promise<string> {
  const printed: string[] = []
  const print = async (text: string): Promise<void> => void printed.push(text)
  const output: Output = { format: 'text', color: false, note: () => {}, print }
  await printCompletion(output, program, shell)
  return printed.join('')
}

/** What bash offers, and what it asked a `sticky-cli` that knows two backends. */
async function completedByBash(words: readonly string[]): Promise<{ offered: string[]; asked: string }> {
  const { stdout, stderr } = await promisify(execFile)('bash', [
    '-c',
    `${await scriptFor('bash')}${ask}`,
    'bash',
    ...words,
  ])
  return { offered: stdout.trim().split('\n').filter(Boolean), asked: stderr.trim() }
}

// The script silences what it calls, so that this tells of it beside the standard error.
const ask = `
sticky-cli() {
  printf '%s' "$*" >&3
  case "\${!#}" in pool) echo shop ;; backend) printf 'a\\nb\\n' ;; node) echo n1 ;; *) printf 'shop/a\\nshop/b\\n' ;; esac
}
COMP_LINE="sticky-cli $*"
COMP_POINT=\${#COMP_LINE} COMP_WORDS=(sticky-cli "$@") COMP_CWORD=$#
{ _sticky_cli; } 3>&2
printf '%s\\n' "\${COMPREPLY[@]}"`
