import { MemoryStore } from '@sticky/store'
import { expect, test } from 'vitest'

import { backend } from '../balancing/fakes.test-support.ts'
import type { BackendConfig, CompanionCookieConfig } from '../config/config.ts'
import { backendConfig } from '../config/parts.test-support.ts'
import { type Fields, requestHead, responseHead, sentCookies } from '../wire/heads.test-support.ts'
import { Fingerprints } from './fingerprint.ts'
import { Keyring, keyId } from './keyring.ts'
import { createStrategy } from './registry.ts'
import { type AffinityStrategy, type Session, wholeSite } from './strategy.ts'

const instances = [
  backendConfig('a', { instance: 'id-a', url: 'http://10.0.0.1:8080' }),
  backendConfig('b', { instance: 'id-b', url: 'https://10.0.0.2' }),
  backendConfig('quiet', { instance: undefined }),
]
const session = 'JSESSIONID=1'

test.for<[cookie: string | undefined, home: string[], code: string, reason: string]>([
  [undefined, [], 'NN', 'no companion'],
  ['__VCAP_ID__=id-a', [], 'UN', 'a companion without a session cookie beside it'],
  ['JSESSIONID=1', [], 'NN', 'no companion'],
  ['JSESSIONID=1; __VCAP_ID__=id-a', ['a'], 'VN', 'cookie __VCAP_ID__ names a'],
  ['__VCAP_ID__="id-b";__Host-JSESSIONID=', ['b'], 'VN', 'cookie __VCAP_ID__ names b'],
  ['jsessionid=1; __HostJSESSIONID=2; XJSESSIONID=3; __VCAP_ID__=id-a', [], 'UN', 'a companion without'],
  ['__host-JSESSIONID=1; __VCAP_ID__=id-a', [], 'UN', 'a companion without'],
  ['JSESSIONID=1; __vcap_id__=id-a', [], 'NN', 'no companion'],
  ['JSESSIONID=1; __VCAP_ID__=gone', [], 'IN', 'a companion that names no instance'],
  ['JSESSIONID=1; __VCAP_ID__=ID-A', [], 'IN', 'a companion that names no instance'],
  ['JSESSIONID=1; __VCAP_ID__=', [], 'UN', ''],
  ['JSESSIONID=1; __VCAP_ID__=gone; __VCAP_ID__=id-b', ['b'], 'VN', 'names b'],
  ['JSESSIONID=1; __VCAP_ID__=10.0.0.1:8080', ['a'], 'VN', 'names a'],
  ['JSESSIONID=1; __VCAP_ID__=10.0.0.2:443', ['b'], 'VN', 'names b'],
  [`JSESSIONID=1; __VCAP_ID__="id-a`, [], 'IN', ''],
  ['=; ; __VCAP_ID__; JSESSIONID=1; a=b,c="', [], 'NN', ''],
])('a request with %s', ([cookie, home, code, reason]) => {
  const found = locate(strategyOf({ value: 'plain' }), { Cookie: cookie })

  expect(found.home).toEqual(home)
  expect(found.known).toBe(home.length > 0)
  expect(found.persistence).toBe(code)
  expect(found.reason).toContain(reason)
})

test.for([
  ['a value of 8 KiB', `__VCAP_ID__=${'x'.repeat(8192)}`],
  ['hundreds of companions', '__VCAP_ID__=no; '.repeat(400)],
  ['hundreds of nameless pairs', `${'=; '.repeat(400)}__VCAP_ID__=no`],
  ['bytes that no name has', '__VCAP_ID__=\xff\x80%00%ZZ'],
] as const)('%s names nobody, sealed or plain', ([, cookie]) => {
  for (const value of ['sealed', 'plain'] as const) {
    const found = locate(strategyOf({ value }), { Cookie: `${session}; ${cookie}` })
    expect(found).toMatchObject({ known: false, home: [], persistence: 'IN', key: undefined })
  }
})

test('a sealed companion brings back to its instance, and tells nothing of it', () => {
  const strategy = strategyOf()
  const companion = begun(strategy, 'b')

  expect(companion).toMatch(/^__VCAP_ID__=[\w-]{44}$/)
  expect(locate(strategy, { Cookie: `${session}; ${companion}` })).toMatchObject({ known: true, home: ['b'] })
})

test('a sealed companion that was changed, cut or made elsewhere names nobody, and a good one replaces it', () => {
  const strategy = strategyOf()
  const companion = begun(strategy, 'b')
  const forged = [
    companion.slice(0, -1),
    `${companion}A`,
    companion.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
    begun(strategyOf({}, { secrets: ['another'] }), 'b'),
    '__VCAP_ID__=id-b',
  ]

  for (const cookie of forged) {
    const found = locate(strategy, { Cookie: `${session}; ${cookie}` })
    expect(found).toMatchObject({ known: false, home: [], persistence: 'IN' })
    expect(answered(found, 'a')).toEqual([expect.stringMatching(/^__VCAP_ID__=[\w-]{44}; Path=\/; HttpOnly$/)])
  }
})

test('a companion sealed with a key that is about to go is sealed anew, with the attributes it had', () => {
  const old = begun(strategyOf({}, { secrets: ['old'] }), 'b')
  const both = strategyOf({}, { secrets: ['new', 'old'] })

  const found = locate(both, { Cookie: `${session}; ${old}; __VCAP_ID_META__=secure` })

  expect(found.home).toEqual(['b'])
  const [fresh] = answered(found, 'b')
  expect(fresh).toMatch(/; Path=\/; HttpOnly; Secure$/)
  expect(locate(strategyOf({}, { secrets: ['new'] }), { Cookie: `${session}; ${fresh}` }).home).toEqual(['b'])
})

test('backends see their cookies alone if ours are sealed, and all as at gorouter if they are plain', () => {
  const cookie = 'a=1; __VCAP_ID__=x; JSESSIONID=1; __VCAP_ID_META__=secure; z=2'

  expect(sent(strategyOf(), cookie)).toBe('a=1; JSESSIONID=1; z=2')
  expect(sent(strategyOf(), '__VCAP_ID__=x; z=2')).toBe('z=2')
  expect(sent(strategyOf({ value: 'plain' }), cookie)).toBe(cookie)
})

test.for<[address: string, home: string[], whenAway: string]>([
  ['shop:id-a', ['a'], 'no-instance'],
  ['id-b', ['b'], 'no-instance'],
  ['10.0.0.1:8080', ['a'], 'no-instance'],
  ['shop:10.0.0.1:8080', ['a'], 'no-instance'],
  ['cart:id-a', [], 'no-instance'],
  ['shop:id-c', [], 'no-instance'],
  ['quiet', [], 'no-instance'],
  ['shop:', [], 'bad-request'],
  [':id-a', [], 'bad-request'],
  [':', [], 'bad-request'],
  ['', [], 'bad-request'],
  ['id-a id-b', [], 'bad-request'],
  ['x'.repeat(300), [], 'bad-request'],
])('a request for the instance "%s"', ([address, home, whenAway]) => {
  const strategy = strategyOf({ addressHeader: 'x-cf-app-instance' })

  const found = locate(strategy, { 'X-CF-APP-INSTANCE': address, Cookie: `${session}; ${begun(strategy, 'a')}` })

  expect(found).toMatchObject({ known: true, home, whenAway })
  expect(locate(strategyOf(), { 'X-CF-APP-INSTANCE': address })).toMatchObject({ known: false, home: [] })
})

test.for<[what: string, by: string, sets: string[], code: string]>([
  ['begins a session', 'a', ['JSESSIONID=1'], 'NI'],
  ['begins one on a backend that is never named', 'quiet', ['JSESSIONID=1'], 'NN'],
  ['ends one', 'a', ['JSESSIONID=; Max-Age=0'], 'ND'],
  ['ends one by date', 'a', ['JSESSIONID=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], 'ND'],
  ['sets our cookie itself', 'a', ['JSESSIONID=1', '__VCAP_ID__=mine'], 'NP'],
  ['sets another cookie', 'a', ['cart=1; JSESSIONID=2', '=', 'JSESSIONID'], 'NN'],
])('the code of an answer that %s', ([, by, sets, code]) => {
  const found = locate(strategyOf(), {})
  const taken = found.served(backend(by), responseHead({ 'Set-Cookie': sets }))

  expect(found.persistence).toBe(code)
  expect(taken).toBe(code === 'NI' || code === 'NP')
})

test('the cookies are called as one likes, and the second one after the first', () => {
  const strategy = strategyOf({ name: 'where', triggers: ['PHPSESSID'], value: 'plain', secure: true })

  expect(answered(locate(strategy, {}), 'a', ['JSESSIONID=1'])).toEqual([])
  expect(answered(locate(strategy, {}), 'a', ['PHPSESSID=1'])).toEqual([
    'where=id-a; Path=/; HttpOnly; Secure',
    'where_META=secure; Path=/; HttpOnly; Secure',
  ])
})

function strategyOf(
  parts: Partial<CompanionCookieConfig> = {},
  { secrets = ['secret'], members = instances }: { secrets?: string[]; members?: readonly BackendConfig[] } = {},
): AffinityStrategy {
  const usual = {
    strategy: 'companion-cookie',
    triggers: ['JSESSIONID'],
    name: '__VCAP_ID__',
    meta: true,
    value: 'sealed',
    secure: false,
    negotiate: false,
    addressHeader: undefined,
  } as const
  return createStrategy([{ ...usual, ...parts }], {
    pool: 'shop',
    backends: new Set(members.map(({ id }) => id)),
    members,
    store: new MemoryStore(),
    keyring: new Keyring({ secrets, openedByAll: secrets.map(keyId) }),
    fingerprints: new Fingerprints('fingerprint'),
  })
}

function locate(strategy: AffinityStrategy, fields: Fields): Session {
  const found = strategy.locate(requestHead('GET /', fields), { address: '192.0.2.1', secure: false }, wholeSite)
  if (found instanceof Promise) throw new Error('a promise on the hot path')
  return found
}

/** What we set in an answer of that backend. */
function answered(found: Session, by: string, sets: string[] = []): string[] {
  const head = responseHead({ 'Set-Cookie': sets })
  found.served(backend(by), head)
  return sentCookies(head).slice(sets.length)
}

/** The companion of a session that begins there, as a client sends it back. */
function begun(strategy: AffinityStrategy, by: string): string {
  return answered(locate(strategy, {}), by, [session])[0]!.split(';')[0]!
}

/** The Cookie field that a backend gets. */
function sent(strategy: AffinityStrategy, cookie: string): string | undefined {
  const request = { target: '/', cookie: cookie as string | undefined, lines: '' }
  locate(strategy, { Cookie: cookie }).dispatched?.(backend('a'), request)
  return request.cookie
}
