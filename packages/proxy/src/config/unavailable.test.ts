import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { load, mistakesIn } from './load.test-support.ts'
import { showPath } from './mistakes.ts'
import { jsonSchema } from './schema.ts'

const pool = (rest: string): string => `pools: { shop: { backends: [{ id: a, url: http://a }], ${rest} } }`
const poolOf = (rest: string) => load(pool(rest)).pools[0]!
const accepts = new Ajv({ strict: false }).compile(jsonSchema())

test('a pool that says nothing moves sessions, lets nobody wait and sends a fifth again', () => {
  const { onUnavailable, movedHeader, queue, retry } = poolOf('')

  expect([onUnavailable, movedHeader, queue]).toEqual(['rebind', undefined, undefined])
  expect(retry).toEqual({ attempts: 2, budget: 0.2, minPerSecond: 3 })
})

test('who waits has a queue, its own or the usual one', () => {
  expect(poolOf('onUnavailable: wait').queue).toEqual({ max: 100, timeout: 5_000 })
  expect(poolOf('onUnavailable: wait, queue: { timeout: 1m }').queue).toEqual({ max: 100, timeout: 60_000 })
  expect(poolOf('queue: {}').queue).toEqual({ max: 100, timeout: 5_000 })
})

test('a stand-in may have its time', () => {
  expect(poolOf('onUnavailable: { temporary: 30s }').onUnavailable).toEqual({ temporary: 30_000 })
})

test.each([
  ['a word that is none', 'onUnavailable: later', 'onUnavailable'],
  ['a time that is none', 'onUnavailable: { temporary: soon }', 'onUnavailable.temporary'],
  ['no time at all', 'onUnavailable: { temporary: 0s }', 'onUnavailable.temporary'],
  ['a header that is ours', 'movedHeader: X-Forwarded-For', 'movedHeader'],
  ['one that looks like it', 'movedHeader: content_length', 'movedHeader'],
  ['a header that cannot be', 'movedHeader: "X Moved"', 'movedHeader'],
  ['a queue without a place', 'queue: { max: 0 }', 'queue.max'],
  ['a queue without end', 'queue: { timeout: never }', 'queue.timeout'],
  ['more attempts than make sense', 'retry: { attempts: 11 }', 'retry.attempts'],
  ['more than everything', 'retry: { budget: 120% }', 'retry.budget'],
  ['a share without its sign', 'retry: { budget: 0.2 }', 'retry.budget'],
  ['less than nothing', 'retry: { minPerSecond: -1 }', 'retry.minPerSecond'],
])('%s is a mistake, and told where it is', (_, rest, path) => {
  const mistakes = mistakesIn(pool(rest))

  expect(mistakes.map((mistake) => showPath(mistake.path))).toEqual([`pools.shop.${path}`])
})

test.each([
  ['onUnavailable: fail', true],
  ['onUnavailable: { temporary: 5m }', true],
  ['onUnavailable: never', false],
  ['queue: { max: 1 }', true],
  ['retry: { budget: "10%" }', true],
  ['retry: { budget: "10" }', false],
])('editors know it: %s', (rest, isRight) => {
  expect(accepts(parse(pool(rest)))).toBe(isRight)
})
