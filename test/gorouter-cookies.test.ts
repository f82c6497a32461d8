import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { askPool, companion, companionPool, setting as settingIn, together } from './support/companions.ts'
import { type Ask, Pair, type Reply } from './support/pair.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const session = 'JSESSIONID=1'
const gone = 'JSESSIONID=1; __VCAP_ID__=gone'
const negotiate = { Authorization: 'Negotiate YII=' }
const newYear = 'Expires=Wed, 01 Jan 2020 00:00:00 GMT'
const plain = 'Path=/; HttpOnly'
const sealed = /(?<=^__VCAP_ID__)=[\w-]{44};/

let app: ScriptedApp
let pair: Pair

beforeAll(async () => {
  app = await ScriptedApp.start('id-1')
  const backends = [{ id: 'b-1', url: app.url, instance: 'id-1' }]
  const kinds = ['plain', 'sealed'].flatMap((value) => [
    companionPool(`one-${value}`, backends, { value }),
    companionPool(`one-${value}-secure`, backends, { value, secure: true }),
    companionPool(`one-${value}-negotiate`, backends, { value, negotiate: true }),
    companionPool(`one-${value}-negotiate-secure`, backends, { value, negotiate: true, secure: true }),
  ])
  pair = await Pair.start(together(kinds))
}, 30_000)

afterAll(async () => {
  await Promise.all([pair, app].map((each) => each?.[Symbol.asyncDispose]()))
})

const ask = (pool: string, asked: Ask = {}) => askPool(pair, pool, asked)
const setting = (pool: string, cookies: readonly string[], asked: Ask = {}) => settingIn(pair, pool, cookies, asked)

describe.each(['plain', 'sealed'])('2b, the new suite, with %s values', (value) => {
  const one = `one-${value}`
  const wants = { headers: { 'WWW-Authenticate': 'Negotiate' } }
  const minute = 'Path=/; Max-Age=60; HttpOnly; SameSite=Strict'
  const strict = `${session}; Secure; SameSite=Strict; ${newYear}`
  const strictly = `Path=/; ${newYear}; HttpOnly; Secure; SameSite=Strict`
  const kept = 'secure&samesite=strict&expires=1577836800'
  let here: string

  beforeAll(async () => {
    here = `${session}; __VCAP_ID__=${companion(await setting(one, [session]))}`
  })

  /** What follows the application's own cookies, with every companion that leads to the instance written as `id-1`. */
  async function added(asked: Promise<Reply>, set: readonly string[]): Promise<string[]> {
    const { cookies } = await asked
    expect(cookies.slice(0, set.length)).toEqual(set)
    if (value === 'sealed') expect(cookies.join()).not.toContain('__VCAP_ID__=id-1')
    const named = cookies
      .slice(set.length)
      .map((cookie) => (value === 'sealed' ? cookie.replace(sealed, '=id-1;') : cookie))
    return named.map(told)
  }

  const companionOf = (attributes: string) => `__VCAP_ID__=id-1; ${attributes}`
  const both = (attributes: string, meta = '') => [companionOf(attributes), `__VCAP_ID_META__=${meta}; ${attributes}`]

  test.for<[name: string, pool: string, set: string[], expected: string[]]>([
    ['isSessionCookie: __Host-JSESSIONID is', '', ['__Host-JSESSIONID=1'], both(plain)],
    ['isSessionCookie: an unknown name is not', '', ['SESSION=1'], []],
    ['isSessionCookie: __HostJSESSIONID is not', '', ['__HostJSESSIONID=1'], []],
    ['isSessionCookie: another casing is not', '', ['JSessionId=1', '__host-JSESSIONID=1'], []],
    ['only VCAP_ID on the response: left alone', '', ['__VCAP_ID__=mine; Path=/x'], []],
    ['JSESSIONID and VCAP_ID on the response: neither a second one nor META', '', [session, '__VCAP_ID__=mine'], []],
    ['new session, plain JSESSIONID: three cookies', '', [session], both(plain)],
    ['Secure, Strict and Expires: all copied', '', [strict], both(strictly, kept)],
    ['Partitioned: both', '', [`${session}; Partitioned`], both(`${plain}; Partitioned`, 'partitioned')],
    ['deletion', '', ['JSESSIONID=; Max-Age=-1'], both('Path=/; Max-Age=0; HttpOnly', 'maxage=-1')],
    ['Max-Age 3600', '', [`${session}; Max-Age=3600`], both('Path=/; Max-Age=3600; HttpOnly', 'maxage=now+3600')],
    ['secure on, cookie Secure', '-secure', [`${session}; Secure`], both(`${plain}; Secure`, 'secure')],
    ['secure on, cookie not Secure', '-secure', [session], both(`${plain}; Secure`, 'secure')],
    [
      'two JSESSIONIDs, a partitioned one and a deletion: pairs in order, each with its own attributes',
      '',
      [`${session}; Partitioned`, 'JSESSIONID=; Max-Age=0'],
      [...both(`${plain}; Partitioned`, 'partitioned'), ...both('Path=/; Max-Age=0; HttpOnly', 'maxage=-1')],
    ],
    [
      'two JSESSIONIDs, Strict and Lax: each VCAP_ID has its own SameSite',
      '',
      [`${session}; SameSite=Strict`, `${session}; SameSite=Lax`],
      [...both(`${plain}; SameSite=Strict`, 'samesite=strict'), ...both(`${plain}; SameSite=Lax`, 'samesite=lax')],
    ],
    [
      'two JSESSIONIDs, secure on: Secure on all four',
      '-secure',
      [session, session],
      [...both(`${plain}; Secure`, 'secure'), ...both(`${plain}; Secure`, 'secure')],
    ],
    [
      '__Host-JSESSIONID: Secure and Strict copied',
      '',
      ['__Host-JSESSIONID=1; Path=/; Secure; SameSite=Strict'],
      both(`${plain}; Secure; SameSite=Strict`, 'secure&samesite=strict'),
    ],
    [
      'a plain one and a __Host- one: six cookies',
      '',
      [session, '__Host-JSESSIONID=2; Secure; SameSite=None'],
      [...both(plain), ...both(`${plain}; Secure; SameSite=None`, 'secure&samesite=none')],
    ],
  ])('first request, %s', async ([, pool, set, expected]) => {
    expect(await added(setting(`${one}${pool}`, set), set)).toEqual(expected)
  })

  test.for<[name: string, set: string[], expected: string[]]>([
    ['no cookies on the response: none', [], []],
    ['JSESSIONID: both refreshed', [session], both(plain)],
    ['JSESSIONID Secure, Strict, Expires: both refreshed', [strict], both(strictly, kept)],
    [
      'JSESSIONID Partitioned: both refreshed',
      [`${session}; Partitioned`],
      both(`${plain}; Partitioned`, 'partitioned'),
    ],
    ['another cookie: none', ['cart=1'], []],
  ])('existing session, endpoint live, %s', async ([, set, expected]) => {
    expect(await added(setting(one, set, { cookie: here }), set)).toEqual(expected)
  })

  test('existing session by a __Host- cookie: sticky, and refreshed when a new one is set', async () => {
    const cookie = here.replace('JSESSIONID', '__Host-JSESSIONID')
    const set = ['__Host-JSESSIONID=2; Secure']

    expect(await added(ask(one, { cookie }), [])).toEqual([])
    expect(await added(setting(one, set, { cookie }), set)).toEqual(both(`${plain}; Secure`, 'secure'))
  })

  test.for<[name: string, pool: string, meta: string | undefined, expected: string]>([
    ['META partitioned', '', 'partitioned', `${plain}; Partitioned`],
    ['META secure, strict, expires', '', kept, strictly],
    ['META of no attributes', '', '', plain],
    ['META maxage to come: what remains', '', 'maxage=now+3600', 'Path=/; Max-Age=3600; HttpOnly'],
    ['META maxage past: deleted', '', 'maxage=now-3600', 'Path=/; Max-Age=0; HttpOnly'],
    ['META both', '', 'maxage=now+3600&expires=1577836800', `Path=/; ${newYear}; Max-Age=3600; HttpOnly`],
    ['META absent: defaults', '', undefined, plain],
    ['META partitioned=%ZZ: all defaults', '', 'secure&partitioned=%ZZ', plain],
    ['META of a bad maxage: the others kept', '', 'secure&maxage=soon', `${plain}; Secure`],
    ['META of bad expires: the others kept', '', 'secure&samesite=lax&expires=never', `${plain}; Secure; SameSite=Lax`],
    ['META samesite=bogus: the others kept', '', 'partitioned&secure&samesite=bogus', `${plain}; Secure; Partitioned`],
    ['secure on: enforced', '-secure', 'partitioned', `${plain}; Secure; Partitioned`],
  ])('stale, no JSESSIONID, %s', async ([, pool, meta, expected]) => {
    const cookie = meta === undefined ? gone : `${gone}; __VCAP_ID_META__=${instants(meta)}`

    expect(await added(ask(`${one}${pool}`, { cookie }), [])).toEqual([companionOf(expected)])
  })

  test('stale, and the new backend sets JSESSIONID: attributes from it, and META rewritten', async () => {
    const cookie = `${gone}; __VCAP_ID_META__=partitioned`

    expect(await added(setting(one, [strict], { cookie }), [strict])).toEqual(both(strictly, kept))
  })

  test('VCAP_ID and Authorization: Negotiate on the request: sticky, and no cookie set', async () => {
    const cookie = here.replace(`${session}; `, '')

    expect(
      await added(ask(`${one}-negotiate`, { cookie: await own(`${one}-negotiate`, cookie), headers: negotiate }), []),
    ).toEqual([])
  })

  test('the same and WWW-Authenticate on the response, endpoint unchanged: no cookie', async () => {
    const cookie = await own(`${one}-negotiate`, here)

    expect(await added(ask(`${one}-negotiate`, { cookie, headers: negotiate, answer: wants }), [])).toEqual([])
  })

  test.for<[name: string, pool: string, cookie: string | undefined, set: string[], expected: string[]]>([
    [
      'stale session: Max-Age 60, Strict, no META',
      '-negotiate',
      `${gone}; __VCAP_ID_META__=${kept}`,
      [],
      [companionOf(minute)],
    ],
    ['no session', '-negotiate', undefined, [], [companionOf(minute)]],
    [
      'no session, secure on',
      '-negotiate-secure',
      undefined,
      [],
      [companionOf('Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict')],
    ],
    [
      'JSESSIONID with attributes: its own all the same',
      '-negotiate',
      undefined,
      [strict.replace('Strict', 'Lax')],
      [companionOf(minute)],
    ],
    [
      'JSESSIONID with attributes, secure on',
      '-negotiate-secure',
      undefined,
      [session],
      [companionOf('Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict')],
    ],
    ['feature off: none', '', undefined, [], []],
    ['feature off, JSESSIONID: the ordinary path', '', undefined, [session], both(plain)],
  ])('WWW-Authenticate: Negotiate on the response, %s', async ([, pool, cookie, set, expected]) => {
    const asked = cookie === undefined ? { answer: wants } : { answer: wants, cookie }

    expect(await added(setting(`${one}${pool}`, set, asked), set)).toEqual(expected)
  })

  test.for<[name: string, set: string[], cookie: string | undefined]>([
    ['JSESSIONID on the response', [session], undefined],
    ['nothing on the response', [], undefined],
    ['VCAP_ID on the response', ['__VCAP_ID__=mine'], undefined],
    ['a stale session', [], gone],
  ])('route-service headers, %s: never adds VCAP_ID', async ([, set, cookie]) => {
    const headers = { 'X-CF-Proxy-Signature': 'x', 'X-CF-Forwarded-Url': 'http://example.com/' }
    const asked = cookie === undefined ? { headers } : { headers, cookie }

    expect(await added(setting(one, set, asked), set)).toEqual([])
    expect(await added(setting(one, [session], { headers: { 'X-CF-Forwarded-Url': 'x' } }), [session])).toHaveLength(2)
  })

  /** The cookie, with a companion that this pool has set. */
  async function own(pool: string, cookie: string): Promise<string> {
    return cookie.replace(/(?<=__VCAP_ID__=).*/, companion(await setting(pool, [session]))!)
  }
})

/** With `now+3600` as seconds since 1970. */
function instants(meta: string): string {
  return meta.replace(/now([+-]\d+)/, (_, seconds) => `${Math.floor(Date.now() / 1000) + Number(seconds)}`)
}

/** With what depends on the moment rounded to tens of seconds. */
function told(cookie: string): string {
  const now = Date.now() / 1000
  return cookie
    .replace(/maxage=(\d+)/, (_, end) => `maxage=now+${tens(Number(end) - now)}`)
    .replace(/Max-Age=(\d+)/, (_, left) => `Max-Age=${tens(Number(left))}`)
}

function tens(seconds: number): number {
  return Math.round(seconds / 10) * 10
}
