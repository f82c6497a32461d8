import { expect, test } from 'vitest'

import { load, mistakesIn } from './load.test-support.ts'

test.for([
  ['{ id: a, url: http://a }', ['a']],
  ['{ id: a, url: http://a, cloneIds: [] }', []],
  ['{ id: a, url: http://a, cloneIds: [c1, 6e4d3c2b-1a09] }', ['c1', '6e4d3c2b-1a09']],
] as const)('session ids call %s %j', ([backend, expected]) => {
  expect(load(`pools: { shop: { backends: [${backend}] } }`).pools[0]!.backends[0]!.cloneIds).toEqual(expected)
})

test.for([
  [
    '[c1, c1]',
    'b',
    '[0].cloneIds[1]: must differ from pools.shop.backends[0].cloneIds[0]: a clone id names one backend',
  ],
  ['[b]', 'b', '[0].cloneIds[0]: must not be the id of backends[1], which session ids call by it: give it cloneIds'],
  ['["a b"]', 'b', '[0].cloneIds[0]: must be 1 to 128 visible characters other than " , ; and backslash, got "a b"'],
  ['c1', 'b', '[0].cloneIds: must be a list of clone ids such as [v544d0o0], or [] for none, got "c1"'],
])('clone ids %s beside backend %s are a mistake', ([cloneIds, other, problem]) => {
  const yaml = `pools: { shop: { backends: [{ id: a, url: http://a, cloneIds: ${cloneIds} }, { id: ${other}, url: http://b }] } }`

  expect(mistakesIn(yaml).map(({ path, problem, detail = '' }) => shown(path) + problem + detail)).toEqual([problem])
})

test.for(['', '-', ':,', 'abc'])('%j separates no clone ids', (separators) => {
  const yaml = `pools: { shop: { backends: [{ id: a, url: http://a }], affinity: [{ strategy: clone-id, separators: ${JSON.stringify(separators)} }] } }`

  expect(mistakesIn(yaml)).toMatchObject([{ problem: 'must be one or more of the characters : + . !' }])
})

function shown(path: readonly (string | number)[]): string {
  return `${path
    .slice(3)
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')}: `
}
