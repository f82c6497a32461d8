// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in configurations look like templates

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { Flaw } from './flaw.ts'
import { resolveReferences } from './secrets.ts'

const folder = mkdtempSync(join(tmpdir(), 'sticky-secrets-'))
writeFileSync(join(folder, 'token'), 'from a file\n')
afterAll(() => rmSync(folder, { recursive: true }))

const environment = { USER: 'ann', PASS: 'file:token', DIR: folder, EMPTY: '' }
const sources = { environment, folder }

test.each([
  ['${USER}', 'ann'],
  ['redis://${USER}:${EMPTY}@redis', 'redis://ann:@redis'],
  ['$USER {x} $', '$USER {x} $'],
  ['$${USER}', '${USER}'],
  ['file:token', 'from a file'],
  ['file:${DIR}/token', 'from a file'],
])('%s stands for what it refers to', (text, value) => {
  expect(resolveReferences(text, sources)).toBe(value)
})

test('a value of the environment is never taken for a reference itself', () => {
  expect(resolveReferences('${PASS}', sources)).toBe('file:token')
})

test.each([
  ['${NOBODY}', 'NOBODY'],
  ['file:nowhere', 'nowhere'],
  ['${USER', '${NAME}'],
  ['${A B}', '${NAME}'],
])('%s leads nowhere, which is told by name', (text, name) => {
  const flaw = resolveReferences(text, sources)

  expect(flaw).toBeInstanceOf(Flaw)
  expect((flaw as Flaw).problem).toContain(name)
})
