import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { loadConfig } from './load.ts'
import { jsonSchema } from './schema.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const examples = globSync(['examples/*.yaml', 'examples/compose/*.yaml'], { cwd: root })
const environment = { STICKY_SECRET: 'a secret that is long enough', STICKY_ADMIN_TOKEN: 'a-token-that-is-long-enough' }

const accepts = new Ajv({ strict: false }).compile(jsonSchema())
const minimal = { pools: { shop: { backends: [{ id: 'a', url: 'http://a' }] } } }

test('there are examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(2)
})

test.each(examples)('%s is a valid configuration, for us and for editors', (example) => {
  expect(loadConfig(`${root}${example}`, {}, environment).pools).not.toHaveLength(0)
  expect(accepts(parse(readFileSync(`${root}${example}`, 'utf8'))), JSON.stringify(accepts.errors)).toBe(true)
})

test.each([
  ['an unknown key', { ...minimal, bogus: 1 }],
  ['an unknown key further in', { ...minimal, timeouts: { haed: '1s' } }],
  ['a duration without a unit', { ...minimal, shutdownTimeout: '25' }],
  ['an unknown strategy', { pools: { shop: { ...minimal.pools.shop, affinity: [{ strategy: 'magic' }] } } }],
  ['a pool id with a space', { pools: { 'a b': minimal.pools.shop } }],
  ['no pools', {}],
])('editors mark %s', (_, configuration) => {
  expect(accepts(minimal)).toBe(true)
  expect(accepts(configuration)).toBe(false)
})

test('the schema tells every default', () => {
  expect(jsonSchema()).toMatchObject({
    properties: {
      accessLog: { default: true },
      timeouts: { properties: { head: { default: '10s' } } },
    },
  })
})
