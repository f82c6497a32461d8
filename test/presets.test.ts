import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { eventually } from './support/eventually.ts'
import { HoldingApp } from './support/holding-app.ts'
import { type Ask, Pair, type Reply, seenBy } from './support/pair.ts'
import { ScriptedApp } from './support/scripted-app.ts'

const stack = new AsyncDisposableStack()
let pair: Pair
let leaving: ScriptedApp
let busy: readonly HoldingApp[]

beforeAll(async () => {
  const apps = await Promise.all(['a', 'b'].map(async (id) => stack.use(await ScriptedApp.start(id))))
  leaving = stack.use(await ScriptedApp.start('leaving'))
  busy = await Promise.all(['a', 'b'].map(async (id) => stack.use(await HoldingApp.start(id))))
  const backends = apps.map(({ id, url }) => ({ id, url }))
  const names = [
    'chttp',
    'gorouter',
    'aflex',
    'genero',
    'websphere',
    'socketio',
    'mcp',
    'llm',
    'tomcat',
    'php',
    'aspnet',
  ]
  const pools = Object.fromEntries(names.map((preset) => [preset, { backends, preset, balance: 'roundRobin' }]))
  pair = stack.use(
    await Pair.start({
      trustedProxies: ['127.0.0.1'],
      pools: {
        ...pools,
        away: { backends: [{ id: 'leaving', url: leaving.url }], preset: 'mcp' },
        busy: { backends: busy.map(({ id, port }) => ({ id, url: `http://127.0.0.1:${port}` })), preset: 'llm' },
      },
      routes: [...names, 'away', 'busy'].map((pool) => ({ host: pool, pool })),
    }),
  )
})

afterAll(() => stack.disposeAsync())

/** Who answers the same request six times, on either node in turn. */
async function answerers(ask: Ask): Promise<Set<string | undefined>> {
  const apps = new Set<string | undefined>()
  for (let round = 0; round < 6; round++) apps.add((await pair.ask(ask)).app)
  return apps
}

function pairs(reply: Reply): string {
  return reply.cookies.map((field) => field.split(';')[0]).join('; ')
}

const sets = (cookie: string): Ask => ({ answer: { headers: { 'Set-Cookie': cookie } } })

test.each([
  ['chttp', sets('app=1'), /^app=1; KTCPVS_SID=/],
  ['gorouter', sets('JSESSIONID=g1; Path=/'), /^JSESSIONID=g1; __VCAP_ID__=/],
  ['aflex', sets('JSESSIONID=x1'), /^JSESSIONID=x1$/],
  ['genero', { target: '/gas/wa/r/app' }, /^instance=/],
  ['php', sets('PHPSESSID=p1'), /^PHPSESSID=p1$/],
  ['aspnet', sets('ASP.NET_SessionId=n1'), /^ASP\.NET_SessionId=n1$/],
])('%s: the cookies of the first answer lead back to who gave it', async (host, ask, cookies) => {
  const first = await pair.ask({ host, ...ask })

  expect(pairs(first)).toMatch(cookies)
  expect(await answerers({ host, cookie: pairs(first) })).toEqual(new Set([first.app]))
})

test('aflex: without the cookie the address of the client does', async () => {
  expect((await answerers({ host: 'aflex' })).size).toBe(1)
})

test('aflex: a cookie that was set before Sticky came is a key from its first answer on, whatever address it comes from', async () => {
  const from = (last: number): Ask => ({
    ...{ host: 'aflex', cookie: 'JSESSIONID=older' },
    headers: { 'X-Forwarded-For': `192.0.2.${last}` },
  })
  const first = await pair.ask(from(1))

  for (const last of [2, 3, 4, 5, 6, 7]) expect((await pair.ask(from(last))).app).toBe(first.app)
})

test.each([
  ['websphere', '0000A2MB4IJozU:a', 'a'],
  ['websphere', '0000A2MB4IJozU:gone:b', 'b'],
  ['tomcat', '9B3C.a', 'a'],
  ['tomcat', '9B3C.b', 'b'],
])('%s: the session id %s tells its server', async (host, id, server) => {
  expect(await answerers({ host, cookie: `JSESSIONID=${id}` })).toEqual(new Set([server]))
  expect(await answerers({ host, target: `/x;jsessionid=${id}?y` })).toEqual(new Set([server]))
})

describe('socketio', () => {
  const told = (sid: string, before = ''): Ask => ({
    ...{ host: 'socketio', target: '/socket.io/?transport=polling' },
    answer: {
      headers: { 'Content-Type': 'text/plain; charset=UTF-8' },
      body: `${before}{"sid":"${sid}","upgrades":["websocket"],"pingInterval":25000}`,
    },
  })
  const polling = (sid: string): Ask => ({ host: 'socketio', target: `/socket.io/?transport=polling&sid=${sid}` })

  test.each([
    ['0', 'lv_VI97HAXpY6yYWAAAC'],
    ['97:0', 'of-version-2'],
  ])('socketio: the sid of the handshake’s body leads back, as a parameter: %s{"sid":"%s"', async (before, sid) => {
    const handshake = await pair.ask(told(sid, before))

    expect(await answerers(polling(sid))).toEqual(new Set([handshake.app]))
  })

  test('socketio: what else has a sid is no handshake, and begins nothing', async () => {
    const before = await pair.nodes[0].sessionCount('socketio')

    await pair.ask(told('of-an-api'))
    await pair.ask(told('of-a-packet', '42'))

    expect(await pair.nodes[0].sessionCount('socketio')).toBe(before)
  })
})

describe('mcp', () => {
  const begin: Ask = { method: 'POST', target: '/mcp', body: '{}' }

  test('mcp: the session id of the answer’s header leads back, until a DELETE', async () => {
    const answer = { headers: { 'Mcp-Session-Id': 's-1' } }
    const first = await pair.ask({ host: 'mcp', ...begin, answer })
    const later: Ask = { host: 'mcp', target: '/mcp', headers: { 'Mcp-Session-Id': 's-1' } }

    expect(await answerers(later)).toEqual(new Set([first.app]))
    expect((await pair.ask({ ...later, method: 'DELETE' })).app).toBe(first.app)
    expect((await answerers(later)).size).toBe(2)
  })

  test('mcp: when its backend is gone the client is told 404, to begin anew', async () => {
    await pair.ask({ host: 'away', ...begin, answer: { headers: { 'Mcp-Session-Id': 's-2' } } })
    await leaving[Symbol.asyncDispose]()

    expect(await pair.ask({ host: 'away', target: '/mcp', headers: { 'Mcp-Session-Id': 's-2' } })).toMatchObject({
      status: 404,
      body: 'this session is gone\n',
    })
  })
})

describe('llm', () => {
  test.each(['x-session-affinity', 'X-Session-Id', 'session-id', 'X-Claude-Code-Session-Id', 'x-opencode-session'])(
    'llm: %s keeps a conversation where it is',
    async (field) => {
      expect((await answerers({ host: 'llm', headers: { [field]: `of ${field}` } })).size).toBe(1)
    },
  )

  test('llm: X-Client-Request-Id does not, and begins nothing', async () => {
    const before = await pair.nodes[0].sessionCount('llm')

    expect((await answerers({ host: 'llm', headers: { 'X-Client-Request-Id': 'same' } })).size).toBe(2)
    expect(await pair.nodes[0].sessionCount('llm')).toBe(before)
  })

  test('llm: a conversation leaves a server that carries more than 1.5 times the mean, for good', async () => {
    const conversation: Ask = { host: 'busy', headers: { 'session-id': 'long' } }
    const server = async (node?: 0 | 1) =>
      (await pair.ask({ ...conversation, target: '/now', ...(node !== undefined && { node }) })).headers['x-backend']
    const home = await server()
    const at = busy.find(({ id }) => id === home)!

    const held = Array.from({ length: 4 }, () => pair.ask({ ...conversation, node: 0 }))
    while (at.inFlight < held.length) await at.changed()
    const next = await eventually(server, (answerer) => answerer !== home)
    at.releaseAll()
    await Promise.all(held)

    expect(busy.map(({ id }) => id)).toContain(next)
    expect([await server(0), await server(1)]).toEqual([next, next])
  })

  test('llm: the first of them counts', async () => {
    const first = await pair.ask({ host: 'llm', headers: { 'x-session-affinity': 'both' } })

    const headers = { 'session-id': 'another', 'x-session-affinity': 'both' }
    expect(await answerers({ host: 'llm', headers })).toEqual(new Set([first.app]))
    expect(seenBy(first).headers['x-session-affinity']).toBe('both')
  })
})
