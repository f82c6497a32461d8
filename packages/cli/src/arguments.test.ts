import { readFileSync } from 'node:fs'

import type { Command } from 'commander'
import { expect, test } from 'vitest'

import { createProgram } from './arguments.ts'

const manual = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
const program = createProgram('http://127.0.0.1:9901', async () => {})

test.each(program.options.map(({ flags }) => flags))('the manual describes the option %s of every command', (flags) => {
  expect(section('Options of every command')).toContain(`| \`${flags}\` |`)
})

test.each(commands(program).map((command) => [pathOf(command), command] as const))(
  'the manual describes %s',
  (path, command) => {
    for (const { flags } of command.options) expect(section(path)).toContain(`| \`${flags}\` |`)
  },
)

test.each(commands(program).map((command) => [pathOf(command), command] as const))(
  'the manual gives %s no option it does not take',
  (path, command) => {
    const described = [...section(path).matchAll(/^\| `(-[^`]+)` \|/gm)].map(([, flags]) => flags)

    expect(described).toEqual(command.options.map(({ flags }) => flags))
  },
)

function commands(parent: Command): Command[] {
  return parent.commands.flatMap((command) => (command.commands.length > 0 ? commands(command) : [command]))
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

function section(title: string): string {
  const found = manual.split(/^#+ /m).find((text) => text.startsWith(`${title}\n`))
  if (found === undefined) throw new Error(`docs/cli.md has no section "${title}"`)
  return found
}
