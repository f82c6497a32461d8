import { once } from 'node:events'
import { connect } from 'node:net'

import type { AdminApi } from '@sticky/proxy/admin-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { CannedApp } from './support/canned-app.ts'
import { eventually } from './support/eventually.ts'
import { HoldingApp } from './support/holding-app.ts'
import { type Ask, Pair, type Reply, seenBy } from './support/pair.ts'
import { ProxyNode } from './support/proxy-node.ts'
import { freshPrefix, redisUrl } from './support/redis.ts'
import { ScriptedApp } from './support/scripted-app.ts'

type Found = Awaited<ReturnType<AdminApi['findSessions']>>['sessions']

const apps = new Map<string, ScriptedApp>()
const stack = new AsyncDisposableStack()
const store = { url: '', prefix: freshPrefix() }
const held: HoldingApp[] = []
/** Two nodes; and a third one of the same system, for which `a` has weight 0. */
let pair: Pair
let draining: ProxyNode

beforeAll(async () => {
  for (const id of ['a', 'b', 'c', 'mortal']) apps.set(id, await ScriptedApp.start(id))
  stack.defer(async () => void (await Promise.all([...apps.values()].map((app) => app[Symbol.asyncDispose]()))))
  for (const id of ['h1', 'h2']) held.push(stack.use(await HoldingApp.start(id)))
  const canned = stack.use(await CannedApp.start(framings))
  store.url = redisUrl()
  pair = stack.use(await Pair.start({ store, ...system({ canned: canned.url }) }))
  const node = { id: 'n3', workers: 1 }
  draining = stack.use(await ProxyNode.start({ store, node, ...system({ canned: canned.url, weightOfA: 0 }) }))
})

afterAll(() => stack.disposeAsync())

/** What CHTTP is, written down: its cookie, its two tables, its rules. */
const chttp = { strategy: 'session-cookie', name: 'KTCPVS_SID', begin: 'on-cookie', ends: 'last-cookie' }

function system({ canned, weightOfA = 1 }: { canned: string; weightOfA?: number }) {
  const of = (id: string) => ({ id, url: apps.get(id)!.url })
  const [a, b, c] = [of('a'), of('b'), of('c')]
  const holding = held.map(({ id, port }) => ({ id, url: `http://127.0.0.1:${port}` }))
  const pool = (backends: readonly object[], parts: object = {}) => ({ backends, affinity: [{ ...chttp, ...parts }] })
  return {
    pools: {
      plain: pool([{ ...a, weight: weightOfA }, b, c]),
      quiet: pool([a, b]),
      rules: pool([a, b, c]),
      drained: pool([{ ...a, weight: 0 }, { ...b, weight: 0 }, c]),
      mortals: pool([of('mortal'), b]),
      framing: pool([{ id: 'canned', url: canned }]),
      recovering: pool([a, b, c], { recoverBy: ['JSESSIONID'] }),
      counting: pool(holding),
    },
    routes: [
      { host: 'plain.example', path: '/of-a', pool: 'plain', backends: ['a'] },
      { host: 'plain.example', pool: 'plain' },
      { host: 'quiet.example', pool: 'quiet' },
      { host: 'mortals.example', path: '/begin', pool: 'mortals', backends: ['mortal'] },
      { host: 'mortals.example', pool: 'mortals' },
      { host: 'framing.example', pool: 'framing' },
      { host: 'recovering.example', pool: 'recovering' },
      { host: 'counting.example', pool: 'counting' },
      { host: 'rules.example', pattern: '^/a$', pool: 'rules', backends: ['a'] },
      { host: 'rules.example', pattern: '^/ab', pool: 'rules', backends: ['b'] },
      { host: 'rules.example', pattern: '^/a', pool: 'rules', backends: ['c'] },
      { host: 'rules.example', pattern: '[?&]lang=fr(&|$)', pool: 'rules', backends: ['a'] },
      { host: 'rules.example', pattern: '\\.(gif|jpg)(\\?|$)', pool: 'rules', backends: ['b'] },
      { host: 'rules.example', pattern: '.*', pool: 'rules', backends: ['c'] },
      { host: 'drained.example', pattern: '^/refused', pool: 'drained', backends: ['a', 'b'] },
      { host: 'drained.example', pattern: '^/left', pool: 'drained', backends: ['a', 'b'], whenDrained: 'next' },
      { host: 'drained.example', pattern: '^/left/for-nobody', pool: 'drained', backends: ['b'], whenDrained: 'next' },
      { host: 'drained.example', pattern: '^/left/?$', pool: 'drained', backends: ['c'] },
      { host: 'drained.example', path: '/refused/*', pool: 'drained', backends: ['c'] },
    ],
  }
}

const framings = {
  '/close': 'HTTP/1.1 200 OK\r\nSet-Cookie: A=1\r\nConnection: close\r\n\r\nto the end',
  '/chunked':
    'HTTP/1.1 200 OK\r\nSet-Cookie: A=1\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nwhole\r\n0\r\nX-Sum: 5\r\n\r\n',
  '/head': 'HTTP/1.1 200 OK\r\nSet-Cookie: A=1\r\nContent-Length: 1000\r\n\r\n',
  '/204': 'HTTP/1.1 204 No Content\r\nSet-Cookie: A=1\r\n\r\n',
  '/304': 'HTTP/1.1 304 Not Modified\r\nSet-Cookie: A=1\r\nContent-Length: 1000\r\n\r\n',
}

const plain = 'plain.example'

describe('the tables', () => {
  test('1b.1 two cookies in one response are one session and two rows; it dies when both have expired', async () => {
    const { cookie, id } = await begun(plain, ['A=1; Max-Age=1', 'B=2; Max-Age=2'])

    expect(await cookiesOf(id)).toEqual(['A', 'B'])
    await eventually(
      () => cookiesOf(id),
      (names) => names.length === 1,
    )
    expect(await sessions(cookie)).toMatchObject([{ id }])
    await eventually(
      () => sessions(cookie),
      (found) => found.length === 0,
    )
  })

  test('1b.2 the comma in an Expires makes no second cookie', async () => {
    const { id } = await begun(plain, ['A=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Path=/'])

    expect(await cookiesOf(id)).toEqual(['A'])
  })

  test.each(['A=; Max-Age=0', 'A=1; Max-Age=-1', 'A=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])(
    '1b.3 a logout by %s drops the row at once, and the session with its last one',
    async (deletion) => {
      const { cookie, id } = await begun(plain, ['A=1', 'B=2'])

      await setting(cookie, [deletion])
      await eventually(
        () => cookiesOf(id),
        (names) => names.join() === 'B',
      )
      expect(await sessions(cookie)).toMatchObject([{ id }])
      await setting(cookie, [deletion.replace('A', 'B')])
      await eventually(
        () => sessions(cookie),
        (found) => found.length === 0,
      )
    },
  )

  test.each([
    ['max-age=100', 100],
    ['MAX-AGE=100', 100],
    ['Max-Age="100"', 100],
    ['Max-Age=99999999999999999999', 400 * 86_400],
    ['Max-Age=soon', 1800],
    ['Max-Age=', 1800],
    ['Max-Age=1e3', 1800],
    ['Discard', 1800],
  ])('1b.4 %s is an age of %i s', async (attribute, seconds) => {
    const { id } = await begun(plain, [`A=1; ${attribute}`])

    const [row] = (await pair.nodes[0].ask<{ cookies: { expires: string }[] }>(`/v1/sessions/${id}/cookies`)).cookies
    expect((Date.parse(row!.expires) - Date.now()) / 1000).toBeGreaterThan(seconds - 10)
    expect((Date.parse(row!.expires) - Date.now()) / 1000).toBeLessThan(seconds + 1)
  })

  test.each(['A=1; max-age=-100', 'A=1; Max-Age="-5"'])('1b.4 %s begins no session', async (cookie) => {
    expect((await setting(undefined, [cookie])).cookies).toEqual([cookie])
  })

  test('1b.5 an expired session is a newcomer: least load chooses, and it begins another', async () => {
    const { cookie, id } = await begun(plain, ['A=1; Max-Age=1'])
    await eventually(
      () => sessions(cookie),
      (found) => found.length === 0,
    )

    const again = await setting(cookie, ['A=2'])

    const [row] = await sessions(ours(again)!)
    expect(row).toMatchObject({ backend: again.app })
    expect(row!.id).not.toBe(id)
  })

  test('1b.10 where the application sets no cookie nothing is set and nothing stored', async () => {
    for (let asked = 0; asked < 4; asked++) {
      const reply = await pair.ask({ host: 'quiet.example' })
      expect(reply).toMatchObject({ status: 200, cookies: [] })
    }

    expect(await pair.nodes[0].sessionCount('quiet')).toBe(0)
  })

  test('1b.13 what expires on one node has expired on the other, two rows at once as well', async () => {
    const { cookie } = await begun(plain, ['A=1; Max-Age=1', 'B=2; Max-Age=1'])

    await eventually(
      () => Promise.all(pair.nodes.map((node) => sessionsOn(node, cookie))),
      (found) => found.every(({ length }) => length === 0),
    )
    const replies = await Promise.all([0, 1].map((node) => setting(cookie, ['A=2'], { node: node as 0 | 1 })))
    expect(replies.map(ours)).toEqual([expect.any(String), expect.any(String)])
  })

  test('1b.14 two first requests at once are two sessions, each of which is kept', async () => {
    const [one, two] = await Promise.all([0, 1].map((node) => setting(undefined, ['A=1'], { node: node as 0 | 1 })))

    expect(ours(one!)).not.toBe(ours(two!))
    for (const reply of [one!, two!]) {
      expect((await pair.ask({ host: plain, cookie: ours(reply)! })).app).toBe(reply.app)
    }
  })
})

describe('the cookie', () => {
  test('1b.5 a forged one is not adopted: its sender begins a session of another id', async () => {
    const { cookie } = await begun(plain, ['A=1'])
    const forged = cookie.slice(0, -1) + (cookie.endsWith('A') ? 'B' : 'A')

    const reply = await setting(forged, ['A=2'])

    expect(ours(reply)).toMatch(/^KTCPVS_SID=[\w-]{88}$/)
    expect((await sessions(ours(reply)!))[0]!.id).not.toBe((await sessions(cookie))[0]!.id)
  })

  test.each(['', '0', '1', '12abc', '-1', '999999999999', 'null', '%31', '"1"'])(
    '1b.16 the id %j is none: a newcomer, who gets one',
    async (sid) => {
      const reply = await setting(`KTCPVS_SID=${sid}`, ['A=1'])

      expect(ours(reply)).toMatch(/^KTCPVS_SID=[\w-]{88}$/)
      expect(await sessions(`KTCPVS_SID=${sid}`)).toEqual([])
    },
  )

  test('1b.15 backends never see it, and every other cookie byte for byte', async () => {
    const { cookie } = await begun(plain, ['A=1'])

    const reply = await pair.ask({ host: plain, cookie: `x=1; ${cookie};  y="2"; KTCPVS_SID=3` })

    expect(seenBy(reply).headers.cookie).toBe('x=1;  y="2"')
  })

  test('1b.8 requests of several sessions on one connection each go home, pipelined or not', async () => {
    const visitors = await Promise.all(Array.from({ length: 6 }, () => begun(plain, ['A=1'])))
    const requests = [...visitors, ...visitors].map(
      ({ cookie }) => `GET / HTTP/1.1\r\nHost: ${plain}\r\nCookie: ${cookie}\r\n\r\n`,
    )
    const homes = [...visitors, ...visitors].map(({ app }) => app)

    for (const node of pair.nodes) {
      expect(await answersOn(node, [requests.join('')], requests.length)).toEqual(homes)
      expect(await answersOn(node, requests, requests.length)).toEqual(homes)
    }
    expect(new Set(homes).size).toBeGreaterThan(1)
  })

  test.each([
    ['a body to the end of its connection', '/close', 'GET', 'to the end'],
    ['a chunked body with trailers', '/chunked', 'GET', 'whole'],
    ['an answer to HEAD', '/head', 'HEAD', ''],
    ['204', '/204', 'GET', ''],
    ['304', '/304', 'GET', ''],
  ])('1b.9 it is set on %s, which arrives as it was sent', async (_, target, method, body) => {
    const reply = await pair.ask({ host: 'framing.example', target, method })

    expect(reply.body).toBe(body)
    expect(ours(reply)).toMatch(/^KTCPVS_SID=/)
  })
})

describe('backends', () => {
  test('1b.6 one of weight 0 keeps its sessions and gets no newcomers', async () => {
    const { cookie } = await begun(plain, ['A=1'], '/of-a')
    const drained = Pair.of(draining, draining)

    const known = await drained.ask({ host: plain, cookie })
    const newcomers = await Promise.all(Array.from({ length: 6 }, () => drained.ask({ host: plain })))

    expect(known.app).toBe('a')
    expect(newcomers.map(({ app }) => app)).not.toContain('a')
    expect(await drained.ask({ host: plain, target: '/of-a' })).toMatchObject({ status: 503 })
  })

  test('1b.7 a session whose backend died is bound to another, is told so, and stays there', async () => {
    const { cookie, id, app } = await begun('mortals.example', ['A=1'], '/begin')
    expect(app).toBe('mortal')
    await apps.get('mortal')![Symbol.asyncDispose]()
    apps.delete('mortal')

    const moved = await pair.ask({ host: 'mortals.example', cookie })

    expect(moved).toMatchObject({ status: 200, app: 'b' })
    expect(await sessions(ours(moved)!, 'mortals')).toMatchObject([{ id, backend: 'b' }])
    expect(await pair.ask({ host: 'mortals.example', cookie: ours(moved)! })).toMatchObject({ app: 'b', cookies: [] })
  })

  test('its counters count: with requests in flight the least loaded is chosen, not always the first', async () => {
    const calls = Array.from({ length: 6 }, () => pair.ask({ host: 'counting.example' }))

    await eventually(
      () => held.map(({ inFlight }) => inFlight),
      (counts) => counts.join() === '3,3',
    )
    expect(await pair.nodes[0].load('counting')).toEqual({ h1: 3, h2: 3 })
    for (const app of held) app.releaseAll()
    await Promise.all(calls)
    await eventually(
      () => pair.nodes[1].load('counting'),
      (load) => load.h1 === 0 && load.h2 === 0,
    )
  })
})

describe('content rules', () => {
  test.each([
    ['/a', 'a'],
    ['/ab', 'b'],
    ['/abc?x', 'b'],
    ['/ac', 'c'],
    ['/x/a', 'c'],
    ['/x?lang=fr', 'a'],
    ['/logo.gif?v=1', 'b'],
    ['/a.gif', 'c'],
    ['/', 'c'],
  ])('1b.12 the first that matches in the order written decides for %s: %s', async (target, app) => {
    for (let asked = 0; asked < 3; asked++)
      expect(await pair.ask({ host: 'rules.example', target })).toMatchObject({ app })
  })

  test('a known session goes home whatever rule its request matches', async () => {
    const { cookie, app } = await begun('rules.example', ['A=1'], '/a')
    expect(app).toBe('a')

    for (const target of ['/ab', '/', '/x.gif']) {
      expect((await pair.ask({ host: 'rules.example', target, cookie })).app).toBe('a')
    }
  })

  test.each([
    ['/refused', 503, undefined],
    ['/left', 200, 'c'],
    ['/left/for-nobody', 503, undefined],
    ['/elsewhere', 404, undefined],
  ])('1b.11 when all of a rule have weight 0, a newcomer to %s gets %i from %s', async (target, status, app) => {
    expect(await pair.ask({ host: 'drained.example', target })).toMatchObject({ status, app })
  })
})

describe('recovery', () => {
  const host = 'recovering.example'

  test('a session whose cookie was lost is found again by the application’s, on the other node', async () => {
    const { id, app } = await begun(host, ['JSESSIONID=one; Path=/'])

    const back = await pair.ask({ host, cookie: 'JSESSIONID=one' })

    expect(back.app).toBe(app)
    expect(await sessions(ours(back)!)).toMatchObject([{ id, backend: app }])
  })

  test('an invented value finds nothing, and its rows are counted apart', async () => {
    const before = await recoveryRows()
    const newcomer = await pair.ask({ host, cookie: 'JSESSIONID=invented' })
    expect(newcomer.cookies).toEqual([])
    expect(await recoveryRows()).toBe(before)

    const { cookie } = await begun(host, ['JSESSIONID=two; Path=/'])
    expect(await recoveryRows()).toBe(before + 1)
    await pair.ask({
      host,
      cookie: `${cookie}; JSESSIONID=two`,
      answer: { headers: { 'set-cookie': ['JSESSIONID=; Max-Age=0'] } },
    })

    expect(await recoveryRows()).toBe(before)
    expect((await pair.ask({ host, cookie: 'JSESSIONID=two' })).cookies).toEqual([])
  })

  async function recoveryRows(): Promise<number> {
    const text = await (await fetch(new URL('/metrics', pair.nodes[0].admin))).text()
    return Number(/^sticky_recovery_rows\{pool="recovering"\} (\d+)$/m.exec(text)![1])
  }
})

interface Begun {
  readonly cookie: string
  readonly id: string
  readonly app: string
}

/** A session that began with a response that sets these. */
async function begun(host: string, cookies: readonly string[], target = '/'): Promise<Begun> {
  const reply = await pair.ask({ host, target, answer: { headers: { 'set-cookie': [...cookies] } } })
  const cookie = ours(reply)!
  const [session] = await sessions(cookie, host.replace('.example', ''))
  return { cookie, id: session!.id, app: reply.app! }
}

/** A request to the plain pool whose response sets these. */
function setting(cookie: string | undefined, cookies: readonly string[], ask: Ask = {}): Promise<Reply> {
  const answer = { headers: { 'set-cookie': [...cookies] } }
  return pair.ask({ host: plain, answer, ...(cookie === undefined ? {} : { cookie }), ...ask })
}

/** Our cookie, as the client sends it back. */
function ours({ cookies }: Reply): string | undefined {
  return cookies.find((cookie) => cookie.startsWith('KTCPVS_SID='))?.split(';')[0]
}

function sessions(cookie: string, pool?: string): Promise<Found> {
  return sessionsOn(pair.nodes[1], cookie, pool)
}

/** The sessions that a node takes a request with this cookie for. */
async function sessionsOn(node: ProxyNode, cookie: string, pool?: string): Promise<Found> {
  const body = JSON.stringify({ cookie, ...(pool === undefined ? {} : { pool }) })
  const response = await fetch(new URL('/v1/sessions:find', node.admin), { method: 'POST', body })
  return ((await response.json()) as { sessions: Found }).sessions
}

async function cookiesOf(id: string): Promise<string[]> {
  const { cookies } = await pair.nodes[0].ask<{ cookies: { name: string }[] }>(`/v1/sessions/${id}/cookies`)
  return cookies.map(({ name }) => name).sort()
}

/** Which applications answer on one connection: each text is sent once the one before is answered. */
async function answersOn(node: ProxyNode, texts: readonly string[], count: number): Promise<string[]> {
  const socket = connect(node.port, '127.0.0.1')
  let received = ''
  const answered = () => Array.from(received.matchAll(/^x-app: (\w+)\r$/gim), ([, app]) => app!)
  for (const [sent, text] of texts.entries()) {
    socket.write(text)
    const awaited = sent === texts.length - 1 ? count : sent + 1
    while (answered().length < awaited) received += String((await once(socket, 'data'))[0])
  }
  socket.destroy()
  return answered()
}
