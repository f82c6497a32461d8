import { describe, expect, test } from 'vitest'

import type { KeySource } from '../config/config.ts'
import { cookieSource, persistenceKeyConfig } from '../config/parts.test-support.ts'
import type { Fields } from '../wire/heads.test-support.ts'
import { Cluster } from './cluster.test-support.ts'
import { exchange, locate, type Sent } from './key-visits.test-support.ts'

const given = 'request'
const address: KeySource = { clientAddress: true, ipv4: 32, ipv6: 64 }

describe.each<[string, KeySource, (value: string) => Sent]>([
  ['a cookie', { cookie: 'sid', learn: given }, (value) => ({ fields: { Cookie: `x=1; sid=${value}` } })],
  ['a header field', { header: 'X-Session', learn: given }, (value) => ({ fields: { 'x-session': value } })],
  ['a query parameter', { query: 'sid', learn: given }, (value) => ({ line: `GET /poll?sid=${value}` })],
  ['a path parameter', { pathParam: 'sid', learn: given }, (value) => ({ line: `GET /a;sid=${value}/b?c` })],
])('a value that requests bring in %s', (_, source, sent) => {
  test('is bound when a backend has answered, and every node honours it', async () => {
    const { cluster, one, other } = nodes([source])

    expect(await exchange(one, sent('A'), { by: 'b' })).toMatchObject({ taken: true, persistence: 'NP' })
    expect(await locate(other, sent('A'))).toMatchObject({ known: true, home: ['b'], persistence: 'VN' })
    expect((await locate(other, sent('B'))).known).toBe(false)
    expect(await cluster.rows()).toMatchObject([{ backend: 'b' }])
  })

  test('is not bound by looking it up', async () => {
    const { cluster, one } = nodes([source])

    await locate(one, sent('A'))

    expect(await cluster.rows()).toEqual([])
  })

  test.for([['%22%22'], ['null'], ['']])('is no key when it is %j', async ([value]) => {
    const { cluster, one } = nodes([source])
    const written = 'query' in source || 'pathParam' in source ? value! : decodeURIComponent(value!)

    expect(await exchange(one, sent(written))).toMatchObject({ taken: false, persistence: 'NN' })
    expect(await cluster.rows()).toEqual([])
  })

  test('is not bound to a backend in trouble', async () => {
    const { cluster, one } = nodes([source])

    expect(await exchange(one, sent('A'), { status: 503 })).toMatchObject({ taken: false, persistence: 'NN' })
    expect(await cluster.rows()).toEqual([])
  })

  test('is taught by the first of two nodes at once; the other adopts its choice', async () => {
    const { one, other } = nodes([source])

    await Promise.all([exchange(one, sent('A'), { by: 'a' }), exchange(other, sent('A'), { by: 'b' })])

    expect([(await locate(one, sent('A'))).home, (await locate(other, sent('A'))).home]).toEqual([['a'], ['a']])
  })
})

describe('a value that answers bring in a header field', () => {
  const source: KeySource = { header: 'Mcp-Session-Id', learn: 'response' }
  const named = (value: string): { fields: Fields } => ({ fields: { 'mcp-session-id': value } })

  test('is the key of later requests, and one that requests bring alone is none', async () => {
    const { cluster, one, other } = nodes([source])

    await exchange(one, named('invented'))
    expect(await cluster.rows()).toEqual([])
    expect(await exchange(one, {}, { by: 'c', ...named('A') })).toMatchObject({ taken: true, persistence: 'NP' })

    expect(await locate(other, named('A'))).toMatchObject({
      home: ['c'],
      reason: expect.stringMatching(/^persistence-key: header:Mcp-Session-Id is the key of session \S+, at home on c$/),
    })
    expect(await cluster.rows()).toMatchObject([{ source: 'header:Mcp-Session-Id' }])
  })

  test('keeps the home when it changes, and renews the session when it does not', async () => {
    const { cluster, one, other } = nodes([source])
    await exchange(one, {}, { by: 'c', ...named('A') })

    expect((await exchange(one, named('A'), named('A'))).persistence).toBe('VN')
    expect(cluster.bound).toHaveLength(1)
    expect((await exchange(one, named('A'), named('B'))).persistence).toBe('VP')

    expect((await locate(other, named('B'))).home).toEqual(['c'])
  })
})

describe('a value that the beginning of a body names', () => {
  const source: KeySource = { query: 'sid', learn: { body: '^0\\{"sid":"([^"]+)"' } }
  const polling = { line: 'GET /socket.io/?EIO=4&transport=polling' }
  const text = { fields: { 'Content-Type': 'text/plain; charset=UTF-8' } }
  const opening = '0{"sid":"A-1_z","upgrades":["websocket"]}'

  test('is the key of later requests', async () => {
    const { cluster, one, other } = nodes([source])

    expect((await exchange(one, polling, { by: 'b', ...text, body: opening })).persistence).toBe('NP')

    expect((await locate(other, { line: `${polling.line}&sid=A-1_z` })).home).toEqual(['b'])
    expect(await cluster.rows()).toMatchObject([{ source: 'query:sid' }])
  })

  test.for<[string, Fields, string, number?]>([
    ['is compressed', { ...text.fields, 'Content-Encoding': 'gzip' }, opening],
    ['is no text', { 'Content-Type': 'application/octet-stream' }, opening],
    ['says not what it is', {}, opening],
    ['is an error', text.fields, opening, 400],
    ['names none', text.fields, '{"sid":"A"}'],
    ['names an empty one', text.fields, '0{"sid":"null"}'],
    ['names it after 4 KiB', text.fields, `${' '.repeat(4096)}${opening}`],
  ])('is not learnt when the body %s', async ([, fields, body, status = 200]) => {
    const { cluster, one } = nodes([{ query: 'sid', learn: { body: '0\\{"sid":"([^"]+)"' } }])

    expect((await exchange(one, polling, { status, fields, body })).persistence).toBe('NN')
    expect(await cluster.rows()).toEqual([])
  })

  test('costs nothing once the request brings one', async () => {
    const { one } = nodes([source])

    expect((await exchange(one, { line: `${polling.line}&sid=A` }, text)).awaitsBody).toBe(false)
  })
})

describe("the client's address", () => {
  test('is a key for those who bring no other, and theirs alone', async () => {
    const { one, other } = nodes([cookieSource('JSESSIONID'), address])

    await exchange(one, { from: '192.0.2.1' }, { by: 'b' })
    await exchange(one, { from: '192.0.2.2' }, { by: 'c', fields: { 'Set-Cookie': 'JSESSIONID=A' } })

    expect((await locate(other, { from: '::ffff:192.0.2.1' })).home).toEqual(['b'])
    expect((await locate(other, { from: '192.0.2.1', fields: { Cookie: 'JSESSIONID=A' } })).home).toEqual(['c'])
    expect((await locate(other, { from: '192.0.2.3' })).known).toBe(false)
  })

  test('is that of its network, in both families', async () => {
    const { one, other } = nodes([{ clientAddress: true, ipv4: 24, ipv6: 48 }])
    await exchange(one, { from: '10.1.2.3' }, { by: 'b' })
    await exchange(one, { from: '2001:db8:1:2::3' }, { by: 'c' })

    expect((await locate(other, { from: '10.1.2.99' })).home).toEqual(['b'])
    expect((await locate(other, { from: '10.1.3.3' })).home).toEqual([])
    expect((await locate(other, { from: '2001:db8:1:ffff::' })).home).toEqual(['c'])
  })

  test('that nobody told is no key', async () => {
    expect((await locate(nodes([address]).one, { from: '' })).persistence).toBe('NN')
  })
})

describe('of several sources', () => {
  const first: KeySource = { header: 'X-First', learn: given }
  const second: KeySource = { header: 'X-Second', learn: given }

  test('the first that leads to a session decides', async () => {
    const { one, other } = nodes([first, second])
    await exchange(one, { fields: { 'X-First': 'A' } }, { by: 'b' })
    await exchange(one, { fields: { 'X-Second': 'A' } }, { by: 'c' })

    expect((await locate(other, { fields: { 'X-First': 'A', 'X-Second': 'A' } })).home).toEqual(['b'])
    expect((await locate(other, { fields: { 'X-First': 'B', 'X-Second': 'A' } })).home).toEqual(['c'])
  })

  test('a newcomer teaches the first that it brings, alone', async () => {
    const { cluster, one } = nodes([first, second])

    await exchange(one, { fields: { 'X-First': 'A', 'X-Second': 'A' } })

    expect(await cluster.rows()).toMatchObject([{ source: 'header:X-First' }])
  })

  test('one before that which led to the session is taught besides', async () => {
    const { one, other } = nodes([first, address])
    await exchange(one, {}, { by: 'b' })

    await exchange(one, { fields: { 'X-First': 'A' } })

    expect((await locate(other, { fields: { 'X-First': 'A' }, from: '198.51.100.1' })).home).toEqual(['b'])
  })

  test('those of one name in any case share their values, so that a session outlives a refused cookie', async () => {
    const { one, other } = nodes([cookieSource('JSESSIONID'), { pathParam: 'jsessionid', learn: given }])

    await exchange(one, {}, { by: 'b', fields: { 'Set-Cookie': 'JSESSIONID=A' } })

    expect(await locate(other, { line: 'GET /cart;jsessionid=A' })).toMatchObject({ home: ['b'], persistence: 'VN' })
  })

  test('the reason names each', async () => {
    const { one } = nodes([cookieSource('JSESSIONID'), first, address])

    expect((await locate(one, { from: '' })).reason).toBe(
      'persistence-key: no key in cookie:JSESSIONID or header:X-First or client-address',
    )
    expect((await locate(one, { fields: { Cookie: 'JSESSIONID=A' } })).reason).toBe(
      'persistence-key: the key of cookie:JSESSIONID and of client-address leads nowhere',
    )
  })
})

function nodes(from: readonly KeySource[]) {
  const cluster = new Cluster()
  const config = persistenceKeyConfig({ from })
  return { cluster, one: cluster.node(config), other: cluster.node(config) }
}
