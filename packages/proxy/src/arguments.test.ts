import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { readArguments } from './arguments.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const pages = globSync(['*.md', 'docs/**/*.md', '*.service', 'examples/compose/*', 'docker-compose.yml'], {
  cwd: root,
}).sort()
const examples = pages.flatMap((page) =>
  commandsIn(readFileSync(root + page, 'utf8')).map((line) => [page, line] as const),
)

test.each(examples)('what %s says is taken: %s', (_, line) => {
  expect(readArguments(line.split(/\s+/).slice(1))).not.toMatchObject({ command: 'end' })
})

test('and there are examples of every command', () => {
  const commands = examples.map(([, line]) => readArguments(line.split(/\s+/).slice(1)).command)

  expect([...new Set(commands)].sort()).toEqual(['check', 'convert', 'print', 'run', 'schema', 'version'])
})

/** Whole lines of examples, up to what is said of them. */
function commandsIn(text: string): string[] {
  const lines = text.matchAll(
    /^(?:\$ |Exec\w+=|npx -y pnpm@12 )?(?:\S*\/)?(sticky-proxy (?:run|check|config|convert|schema|version).*)$/gm,
  )
  return Array.from(lines, ([, line]) => line!.split(/ {2,}| [#>]/)[0]!)
}
