import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { load } from './load.test-support.ts'
import { referenceTables } from './reference.test-support.ts'

const manual = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8')
const examples = [...manual.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml]) => yaml!)
const environment = { STICKY_SECRET: 'a secret that is long enough', REDIS_PASSWORD: 'secret' }

test.each([...referenceTables()])('the manual tells every key of %s, its default and its meaning', (heading, table) => {
  expect(manual).toContain(`### ${heading}\n\n${table}\n`)
})

test.each(examples)('its example %# is a valid configuration', (yaml) => {
  expect(load(yaml, {}, environment).pools).not.toHaveLength(0)
})
