import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

import { createProgram } from './arguments.ts'
import { printCompletion, type Shell, shells } from './completion.ts'
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

test.runIf(isHere('bash')).each([
  ['a command', ['se'], ['sessions']],
  ['all commands of a command', ['sessions', ''], ['list', 'show', 'count', 'watch', 'move', 'end']],
  ['a command of a command', ['nodes', 'r'], ['restart']],
  ['an option', ['sessions', 'list', '--p'], ['--pool']],
  ['an option of every command, anywhere', ['sessions', 'list', '--out'], ['--output']],
  ['an option behind those of the program', ['--admin', 'unix:/s', 'load', '--po'], ['--pool']],
  ['an option behind an argument', ['cookies', 'an-id', '--po'], ['--pool']],
  ['a choice', ['-o', ''], ['text', 'json']],
  ['an argument with choices', ['completion', 'z'], ['zsh']],
  ['nothing where anything may stand', ['load', '--pool', ''], []],
  ['nothing that it does not know', ['sessions', 'frob'], []],
])('bash completes %s', async (_, words, completed) => {
  expect(await completedByBash(words)).toEqual(completed)
})

test.each(shells)('the script for %s names every command, option and choice', async (shell) => {
  const script = await scriptFor(shell)

  for (const word of ['sessions', 'watch', 'restart', 'token-file', 'idle-gt', 'json', 'fish']) {
    expect(script).toContain(word)
  }
})

test.each(shells.filter(isHere))('%s takes its script', async (shell) => {
  await promisify(execFile)(shell, ['-n', '-c', await scriptFor(shell)])
})

async function scriptFor(shell: Shell): Promise<string> {
  const printed: string[] = []
  const print = async (text: string): Promise<void> => void printed.push(text)
  const output: Output = { format: 'text', color: false, note: () => {}, print }
  await printCompletion(output, program, shell)
  return printed.join('')
}

async function completedByBash(words: readonly string[]): Promise<string[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own
  const ask = 'COMP_WORDS=(sticky-cli "$@"); COMP_CWORD=$#; _sticky_cli; printf "%s\\n" "${COMPREPLY[@]}"'
  const { stdout } = await promisify(execFile)('bash', ['-c', `${await scriptFor('bash')}${ask}`, 'bash', ...words])
  return stdout.trim().split('\n').filter(Boolean)
}
