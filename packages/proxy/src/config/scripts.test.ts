import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

import { configHash } from './config-hash.ts'
import { loadConfig } from './load.ts'

const examples = fileURLToPath(new URL('../../../../examples', import.meta.url))
const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

test('a script is found from the folder of the file that names it', () => {
  const { pools } = loadConfig(join(examples, 'aflex-script.yaml'))

  expect(pools[0]!.affinity).toEqual([
    {
      strategy: 'script',
      script: './aflex/persist.ts',
      file: join(examples, 'aflex/persist.ts'),
      isolate: false,
      timeLimit: 50,
    },
  ])
})

test('nodes that have it in different folders agree', () => {
  const [here, there] = [configIn(folder({ 'a.ts': '' }), './a.ts'), configIn(folder({ 'a.ts': '' }), './a.ts')]

  expect(configHash(loadConfig(here))).toBe(configHash(loadConfig(there)))
})

test.each([
  ['./missing.ts', 'must be a file that can be read'],
  ['./folder.js', 'must be a file; '],
  ['./a.txt', 'must be the path of a script such as ./persist.ts'],
])('script: %s is told with its place', (script, told) => {
  const file = configIn(folder({ 'a.txt': '' }), script)
  mkdirSync(join(dirname(file), 'folder.js'))

  expect(() => loadConfig(file)).toThrow(`${file}:4:44: pools.shop.affinity[0].script: ${told}`)
})

function folder(files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(join(tmpdir(), 'sticky-scripts-'))
  folders.push(made)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text)
  return made
}

function configIn(folder: string, script: string): string {
  const file = join(folder, 'sticky.yaml')
  const backends = '[{ id: a, url: http://127.0.0.1:3001 }]'
  writeFileSync(
    file,
    `pools:\n  shop:\n    backends: ${backends}\n    affinity: [{ strategy: script, script: ${script} }]\n`,
  )
  return file
}
