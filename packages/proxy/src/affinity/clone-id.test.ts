import { describe, expect, test } from 'vitest'

import { backend } from '../balancing/fakes.test-support.ts'
import type { CloneIdConfig } from '../config/config.ts'
import { backendConfig } from '../config/parts.test-support.ts'
import { requestHead, responseHead, sentCookies } from '../wire/heads.test-support.ts'
import { cloneId } from './clone-id.ts'
import { Cluster, sessionCookieConfig } from './cluster.test-support.ts'
import { type AffinityStrategy, type Session, wholeSite } from './strategy.ts'

const websphere: CloneIdConfig = {
  strategy: 'clone-id',
  cookie: 'JSESSIONID',
  parameter: 'jsessionid',
  separators: ':',
}
const members = [
  backendConfig('a', { cloneIds: ['c1'] }),
  backendConfig('b', { cloneIds: ['c2', '6e4d3c2b-1a09-4f8e'] }),
  backendConfig('c', { cloneIds: [] }),
  backendConfig('d', { cloneIds: ['c1', 'w.1'] }),
]
const pool = cloneId(websphere, { members })

describe('a session id names', () => {
  test.for([
    ['its clone', '0000abc:c1', ['a']],
    ['several clones, best first', '0000abc:c2:c1', ['b', 'a']],
    ['clones of which only one is ours', '0000abc:gone:c2', ['b']],
    ['one backend twice', '0000abc:c2:6e4d3c2b-1a09-4f8e', ['b']],
    ['a clone whose id is a UUID', '0000abc:6e4d3c2b-1a09-4f8e', ['b']],
    ['a clone in quotes', '"0000abc:c1"', ['a']],
    ['a clone after no session id at all', ':c1', ['a']],
    ['the first backend of two that claim one id', '0000abc:c1:c1', ['a']],
  ] as const)('%s: %s', ([, value, home]) => {
    expect(located(`JSESSIONID=${value}`)).toMatchObject({ known: true, home, persistence: 'VN', key: undefined })
  })

  test.for([
    ['nobody we know', '0000abc:c9', 'IN'],
    ['a backend by its id, which is not its clone id', '0000abc:a', 'IN'],
    ['a clone in another case', '0000abc:C1', 'IN'],
    ['nobody, with an empty clone id', '0000abc:', 'IN'],
    ['nobody, without a separator', '0000abcc1', 'IN'],
    ['nobody, with another separator', '0000abc+c1', 'IN'],
    ['nobody, being empty', '', 'IN'],
    ['nobody, with nothing but separators', ':'.repeat(4000), 'IN'],
    ['nobody, with half of its quotes', '0000abc:c1"', 'IN'],
  ] as const)('%s: %.20s', ([, value, persistence]) => {
    expect(located(`JSESSIONID=${value}`)).toMatchObject({ known: false, home: [], persistence })
  })

  test.for([
    [':+', '0000abc+c1', ['a']],
    [':+', '0000abc:c2+c1', ['b', 'a']],
    ['.', '0000abc.c1', ['a']],
    ['.', '0000abc.w.1', ['d']],
    ['.', '00.00.abc.c2', ['b']],
    ['!', '0000abc!c1!c2', ['a', 'b']],
  ] as const)('its clones after separators %s: %s', ([separators, value, home]) => {
    const strategy = cloneId({ ...websphere, separators }, { members })

    expect(located(`JSESSIONID=${value}`, '/', strategy).home).toEqual(home)
  })
})

describe('the session id is found', () => {
  test.for([
    ['wherever its cookie stands', 'a=1; JSESSIONID=0:c1; b=2', '/', ['a']],
    ['in any of several cookies of its name', 'JSESSIONID=old:gone; JSESSIONID=0:c2', '/', ['b']],
    ['in the first of them that names a clone', 'JSESSIONID=0:c2; JSESSIONID=0:c1', '/', ['b']],
    ['in the path', undefined, '/shop;jsessionid=0:c1', ['a']],
    ['in the path of any segment', undefined, '/shop;jsessionid=0:c1/cart;x=1?q=;jsessionid=0:c2', ['a']],
    ['beside other parameters', undefined, '/shop;v=1;jsessionid=0:c1;w=2', ['a']],
    ['where its separator is percent-encoded', undefined, '/shop;jsessionid=0%3Ac1', ['a']],
    ['in the cookie before the path', 'JSESSIONID=0:c2', '/shop;jsessionid=0:c1', ['b']],
    ['in the path when the cookie names nobody', 'JSESSIONID=0:gone', '/shop;jsessionid=0:c1', ['a']],
  ] as const)('%s', ([, cookie, target, home]) => {
    expect(located(cookie, target).home).toEqual(home)
  })

  test.for([
    ['in another cookie', 'XJSESSIONID=0:c1; JSESSIONIDS=0:c1; jsessionid=0:c1', '/'],
    ['in another parameter', undefined, '/shop;xjsessionid=0:c1;jsessionids=0:c1;JSESSIONID=0:c1'],
    ['in the query', undefined, '/shop?jsessionid=0:c1;jsessionid=0:c1'],
    ['in a broken encoding', undefined, '/shop;jsessionid=0%3Ac1%zz'],
  ] as const)('not %s', ([, cookie, target]) => {
    expect(located(cookie, target)).toMatchObject({ known: false, home: [] })
  })

  test('by the names of the URI that decided the route, where it has any', () => {
    const uri = { contextPath: '/', sessionCookie: 'SHOP', sessionParameter: 'shop' }
    const at = (cookie: string | undefined, target: string) => {
      const head = requestHead(`GET ${target}`, { Cookie: cookie })
      return (pool.locate(head, client, uri) as Session).home
    }

    expect(at('JSESSIONID=0:c1; SHOP=0:c2', '/')).toEqual(['b'])
    expect(at('JSESSIONID=0:c1', '/')).toEqual([])
    expect(at(undefined, '/x;jsessionid=0:c1;shop=0:c2')).toEqual(['b'])
  })
})

describe('what the response does', () => {
  test.for([
    ['a known session at home', 'JSESSIONID=0:c1', 'a', 'JSESSIONID=0:c1', true, 'VN'],
    ['a known session on its second clone', 'JSESSIONID=0:c1:c2', 'b', undefined, true, 'VN'],
    ['a known session elsewhere', 'JSESSIONID=0:c1', 'c', undefined, true, 'DN'],
    ['a session taken over', 'JSESSIONID=0:c1', 'b', 'JSESSIONID=0:c1:c2; Path=/', true, 'DP'],
    ['a newcomer that gets a clone id', undefined, 'a', 'JSESSIONID="0:c1"; Path=/', true, 'NP'],
    ['a newcomer that gets none', undefined, 'a', 'JSESSIONID=0; Path=/', false, 'NN'],
    ['a newcomer that gets another cookie', undefined, 'a', 'JSESSIONIDS=0:c1', false, 'NN'],
  ] as const)('with %s', ([, cookie, by, sets, taken, persistence]) => {
    const session = located(cookie)
    const response = responseHead({ 'Set-Cookie': sets })

    expect(session.served(backend(by), response)).toBe(taken)
    expect(session.persistence).toBe(persistence)
    expect(sentCookies(response)).toEqual(sets === undefined ? [] : [sets])
  })

  test('nothing is stored, and a strategy after it begins sessions of what has no clone id', async () => {
    const cluster = new Cluster()
    const node = cluster.node([websphere, sessionCookieConfig({ begin: 'always' })])

    expect(await node.visit(undefined, { by: 'b', sets: ['JSESSIONID=0:b'] })).toMatchObject({ added: [] })
    expect(await cluster.rows()).toEqual([])
    expect((await node.visit(undefined, { by: 'b' })).added).toHaveLength(1)
    expect(await cluster.rows()).toHaveLength(1)
  })
})

test('it tells people how it recognised a request, or why not', () => {
  const told = ([cookie, target]: readonly [string?, string?]) => located(cookie, target).reason
  expect(
    [[], ['JSESSIONID=0:c9'], ['JSESSIONID=0:c1:c2'], [undefined, '/;jsessionid=0:c2']].map((each) => told(each as [])),
  ).toEqual([
    'clone-id: no cookie JSESSIONID and no path parameter with a clone id',
    'clone-id: the cookie names no clone of this pool',
    'clone-id: the cookie names the clone of a, then of b',
    'clone-id: the parameter names the clone of b',
  ])
})

const client = { address: '192.0.2.1', secure: false }

function located(cookie?: string, target = '/', strategy: AffinityStrategy = pool): Session {
  return strategy.locate(requestHead(`GET ${target}`, { Cookie: cookie }), client, wholeSite) as Session
}
