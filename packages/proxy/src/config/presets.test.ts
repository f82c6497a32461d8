import { expect, test } from 'vitest'

import { load, mistakesIn } from './load.test-support.ts'
import { presetNames } from './presets.ts'

function pool(rest: string): string {
  return `pools: { shop: { backends: [{ id: a, url: http://a }], ${rest} } }`
}

test.each(presetNames)('%s is a valid pool that says how sessions are recognised', (name) => {
  const [shop] = load(pool(`preset: ${name}`)).pools

  expect(shop!.affinity.length).toBeGreaterThan(0)
  expect(shop).not.toHaveProperty('preset')
})

test('what the pool says itself counts, key by key', () => {
  const [shop] = load(pool('preset: chttp, balance: random, affinity: []')).pools
  const [other] = load(pool('preset: chttp, balance: random')).pools

  expect(shop).toMatchObject({ balance: 'random', affinity: [] })
  expect(other).toMatchObject({ balance: 'random', affinity: [{ name: 'KTCPVS_SID' }] })
})

test('pools without one, and beside one, are as they were', () => {
  const { pools } = load(
    'pools: { a: { backends: [{ id: a, url: http://a }] }, b: { backends: [{ id: b, url: http://b }], preset: php } }\nroutes: [{ path: /b/*, pool: b }, { pool: a }]',
  )

  expect(pools.map(({ affinity }) => affinity[0]!.strategy)).toEqual(['session-cookie', 'persistence-key'])
})

test('a preset can come from the environment', () => {
  const text = pool('preset: "$' + '{PRESET}"')

  expect(load(text, {}, { PRESET: 'tomcat' }).pools[0]!.affinity[0]!.strategy).toBe('clone-id')
})

test.each([
  [
    'socket.io',
    'must be one of chttp, gorouter, aflex, genero, websphere, socketio, mcp, llm, tomcat, php, aspnet',
    '; did you mean socketio?',
  ],
  ['Tomcat', 'must be one of', '; did you mean tomcat?'],
  ['toString', 'must be one of', '"toString"'],
])('%s is none: the likely one is named', (name, problem, detail) => {
  const [mistake, ...others] = mistakesIn(pool(`preset: ${name}`))

  expect(mistake).toMatchObject({ path: ['pools', 'shop', 'preset'], problem: expect.stringContaining(problem) })
  expect(mistake!.detail).toContain(detail)
  expect(others).toEqual([])
})

test.each(['preset: 5', 'preset: [php]', 'preset: null', 'preset: {}'])('%s is a mistake of its own', (rest) => {
  expect(mistakesIn(pool(rest)).map(({ path }) => path.join('.'))).toEqual(['pools.shop.preset'])
})

test.each(['pools: 5', 'pools: [preset]', 'pools: { shop: 5 }', 'preset: php', '5', ''])(
  'in %j there is nothing to expand',
  (text) => {
    expect(mistakesIn(text)).not.toEqual([])
  },
)
