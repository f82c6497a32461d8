import { expect, test } from 'vitest'

import { configHash } from './config-hash.ts'
import { load } from './load.test-support.ts'

const file = (backends: string, rest = '') => `pools: { shop: { backends: [${backends}] } }\n${rest}`
const [a, b] = ['{ id: a, url: http://a }', '{ id: b, url: http://b }']
const hash = (yaml: string) => configHash(load(yaml))

test.each([
  ['node id', 'node: { id: other }'],
  ['addresses', 'listen: [{ address: :81 }]'],
  ['secrets', 'secrets: [0123456789abcdef0]'],
  ['time limits', 'timeouts: { head: 1s }'],
])('nodes may differ in %s', (_, rest) => {
  expect(hash(file(a, rest))).toBe(hash(file(a)))
})

test('the order in which backends are written does not matter', () => {
  expect(hash(file(`${a}, ${b}`))).toBe(hash(file(`${b}, ${a}`)))
})

test.each([
  ['backends', file(`${a}, ${b}`)],
  ['weights', file('{ id: a, url: http://a, weight: 2 }')],
  ['affinity', 'pools: { shop: { backends: [{ id: a, url: http://a }], affinity: [] } }'],
  ['routes', file(a, 'routes: [{ path: /x, pool: shop }]')],
  ['which route counts', file(a, 'routeMatch: best')],
  ['the fallback', file(a, 'fallback: shop')],
])('nodes must agree on %s', (_, yaml) => {
  expect(hash(yaml)).not.toBe(hash(file(a)))
})
