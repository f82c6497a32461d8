import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { CommanderError } from 'commander'
import { describe, expect, test } from 'vitest'

import { createProgram } from './arguments.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).sort()
const examples = pages.flatMap((page) =>
  commandsIn(readFileSync(root + page, 'utf8')).map((line) => [page, line] as const),
)

describe('sticky-cli takes what the manual says', () => {
  test.each(examples)('%s: %s', async (_, line) => {
    expect(await mistakeIn(line)).toBeUndefined()
  })

  test('and this test sees it', async () => {
    expect(examples.length).toBeGreaterThan(50)
    expect(await mistakeIn('sticky-cli sessions --bakend a')).toContain('--bakend')
    expect(await mistakeIn('sticky-cli backend')).toContain("unknown command 'backend'")
    expect(await mistakeIn('sticky-cli backends drain a')).toContain('POOL/BACKEND')
  })
})

/** Lines of examples, and what is named in the text, up to where another command begins. */
function commandsIn(text: string): string[] {
  const blocks = Array.from(text.matchAll(/^(?:\$ )?(sticky-cli .*)$/gm), ([, line]) => line!)
  const named = Array.from(text.matchAll(/`(sticky-cli [^`]+)`/g), ([, line]) => line!)
  const commands = [...blocks, ...named].map((line) => line.split(/ +(?:#|&&|[|>…]) ?|\n/)[0]!.trimEnd())
  return [...new Set(commands)].filter((line) => /^sticky-cli [a-z-]/.test(line))
}

/** What the program says of it; an argument that is only missing is the text's to leave out. */
async function mistakeIn(line: string): Promise<string | undefined> {
  const said: string[] = []
  const program = createProgram('http://127.0.0.1:9901', async () => {})
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: (text) => said.push(text) })
  try {
    await program.parseAsync(wordsOf(line), { from: 'user' })
    return undefined
  } catch (error) {
    const isIncomplete = error instanceof CommanderError && /^commander\.(missingArgument|help)/.test(error.code)
    return isIncomplete ? undefined : said.join('') + error
  }
}

function wordsOf(line: string): string[] {
  return Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!).slice(1)
}
