import { describe, expect, test } from 'vitest'

import type { PersistenceKeyConfig } from './config.ts'
import { load, mistakesIn, withAffinity } from './load.test-support.ts'
import { showPath } from './mistakes.ts'

describe('a source of keys', () => {
  test.for([
    ['cookie: sid', { cookie: 'sid', learn: 'response' }],
    ['cookie: sid, learn: request', { cookie: 'sid', learn: 'request' }],
    ['header: X-Session', { header: 'X-Session', learn: 'response' }],
    ['header: X-Session, learn: request', { header: 'X-Session', learn: 'request' }],
    ['query: sid', { query: 'sid', learn: 'request' }],
    ['query: sid, learn: { body: "sid=(.+);" }', { query: 'sid', learn: { body: 'sid=(.+);' } }],
    ['pathParam: jsessionid', { pathParam: 'jsessionid', learn: 'request' }],
    ['clientAddress: true', { clientAddress: true, ipv4: 32, ipv6: 64 }],
    ['clientAddress: true, ipv4: 24, ipv6: 48', { clientAddress: true, ipv4: 24, ipv6: 48 }],
  ] as const)('{ %s } is one', ([written, source]) => {
    const { affinity } = load(withKey(`from: [{ ${written} }]`)).pools[0]!

    expect((affinity[0] as PersistenceKeyConfig).from).toEqual([source])
  })

  test.for([
    ['', '', 'must have exactly one of cookie, header, query, pathParam, clientAddress'],
    ['cookie: a, header: b', '', 'must have exactly one of cookie, header, query, pathParam, clientAddress'],
    ['cookie: a, ipv4: 24', '', 'must have ipv4 and ipv6 with clientAddress alone'],
    ['clientAddress: false', '.clientAddress', 'must be true, or left out'],
    ['clientAddress: true, learn: response', '', 'must have no learn: requests tell their address'],
    ['clientAddress: true, ipv4: 33', '.ipv4', 'must be a whole number from 1 to 32'],
    ['query: sid, learn: response', '', 'no header of an answer sets a parameter'],
    ['query: a&b', '.query', 'must be the name of a parameter'],
    ['header: Cookie', '.header', 'must be the name of a header field other than Cookie'],
    ['cookie: a, learn: always', '.learn', 'must be response, request or { body: PATTERN }'],
    [
      'query: sid, learn: { body: sid }',
      '.learn.body',
      'must have exactly one group, which is the value; this one has 0',
    ],
    ['query: sid, learn: { body: "(s)(id)" }', '.learn.body', 'this one has 2'],
    ['query: sid, learn: { body: "(s" }', '.learn.body', "must be a regular expression in RE2's syntax: "],
    ['query: sid, learn: { body: "(?=x)(s)" }', '.learn.body', "must be a regular expression in RE2's syntax: "],
    ['cokie: a', '.cokie', 'did you mean cookie?'],
  ])('{ %s } is none', ([written, place, problem]) => {
    const [mistake] = mistakesIn(withKey(`from: [{ ${written} }]`))

    expect(showPath(mistake!.path)).toBe(`pools.shop.affinity[0].from[0]${place}`)
    expect(mistake!.problem).toContain(problem)
  })
})

describe('rules of a key', () => {
  test('have defaults that bound what requests can begin', () => {
    expect(load(withKey('from: [{ cookie: sid }]')).pools[0]!.affinity[0]).toMatchObject({
      endOn: [],
      whenGone: 'rebind',
      newPerClient: { count: 600, per: 60_000 },
      maxSessions: 1_000_000,
    })
  })

  test('may be without a limit per client', () => {
    expect(load(withKey('from: [{ cookie: sid }], newPerClient: false')).pools[0]!.affinity[0]).toMatchObject({
      newPerClient: undefined,
    })
  })

  test.for([
    ['endOn: [delete]', 'endOn[0]', 'must be a method in capital letters, such as DELETE'],
    ['maxSkew: 0.5', 'maxSkew', 'must be a number of at least 1, such as 2'],
    ['maxSessions: 0', 'maxSessions', 'must be a whole number from 1 to'],
    ['newPerClient: true', 'newPerClient', 'must be a map such as { count: 600, per: 1m }, or false'],
    ['newPerClient: { count: 0 }', 'newPerClient.count', 'must be a whole number from 1 to'],
    ['whenGone: away', 'whenGone', 'must be one of rebind, gone'],
    ['share: shop', 'share', 'must be another pool than its own, or left out'],
    ['share: sjop', 'share', 'must be one of the pools: shop'],
  ])('%s is a mistake', ([written, place, problem]) => {
    const [mistake] = mistakesIn(withKey(`from: [{ cookie: sid }], ${written}`))

    expect(showPath(mistake!.path)).toBe(`pools.shop.affinity[0].${place}`)
    expect(mistake!.problem).toContain(problem)
  })

  test('share with a pool whose keys are its own', () => {
    const pool = (share: string) =>
      `{ backends: [{ id: a, url: http://a }], affinity: [{ strategy: persistence-key, from: [{ cookie: sid }]${share} }] }`
    const file = (a: string, b: string, c: string) =>
      `pools:\n  a: ${pool(a)}\n  b: ${pool(b)}\n  c: ${pool(c)}\nroutes: [{ pool: a }]`

    expect(mistakesIn(file('', ', share: a', ', share: a'))).toEqual([])
    expect(mistakesIn(file('', ', share: a', ', share: b'))).toMatchObject([
      { path: ['pools', 'c', 'affinity', 0, 'share'], problem: 'must be a, in which b has its keys' },
    ])
  })
})

function withKey(rest: string): string {
  return withAffinity(`{ strategy: persistence-key, ${rest} }`)
}
