import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { eventually } from './support/eventually.ts'
import { HoldingApp } from './support/holding-app.ts'
import { Pair, type Reply, seenBy } from './support/pair.ts'
import { ScriptedApp } from './support/scripted-app.ts'

let stack: AsyncDisposableStack
let pair: Pair
let apps: Record<'a' | 'b' | 'c', ScriptedApp>
let holding: Record<'h1' | 'h2', HoldingApp>
let primary: ScriptedApp
let silent: RawApp
let dying: RawApp

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(async (id) => stack.use(await ScriptedApp.start(id))))
  const [h1, h2] = await Promise.all(['h1', 'h2'].map(async (id) => stack.use(await HoldingApp.start(id))))
  apps = { a: a!, b: b!, c: c! }
  holding = { h1: h1!, h2: h2! }
  primary = await ScriptedApp.start('primary')
  silent = stack.use(await RawApp.start(() => {}))
  dying = stack.use(await RawApp.start((socket, heard) => heard.endsWith('!') && socket.destroy()))
  pair = stack.use(await Pair.start(configuration()))
}, 30_000)

afterAll(async () => {
  await stack.disposeAsync()
  await primary[Symbol.asyncDispose]()
})

test('5d.11 weights 4, 2, 2 give 2, 1, 1 newcomers in every period, whichever nodes they come to', async () => {
  for (const nodes of [
    [0, 0, 0, 1],
    [1, 0, 1, 0],
    [1, 1, 1, 1],
    [0, 1, 1, 1],
  ] as const) {
    const replies = []
    for (const node of nodes) replies.push(await pair.ask({ host: 'turns', node }))
    expect(countsOf(replies)).toEqual({ a: 2, b: 1, c: 1 })
  }
  const together = await Promise.all(Array.from({ length: 40 }, () => pair.ask({ host: 'turns' })))
  expect(countsOf(together)).toEqual({ a: 20, b: 10, c: 10 })
})

test('5d.11 known sessions use up turns where the pool says so, and elsewhere do not', async () => {
  const next = async (host: string) => {
    const first = await pair.ask({ host, node: 0 })
    for (let again = 0; again < 2; again++) await pair.ask({ host, node: 0, cookie: cookieOf(first) })
    const newcomers = []
    for (let newcomer = 0; newcomer < 3; newcomer++) newcomers.push(await pair.ask({ host, node: 0 }))
    return newcomers.map(({ app }) => (app === first.app ? 'the same' : 'the other'))
  }

  expect(await next('counting')).toEqual(['the other', 'the other', 'the other'])
  expect(await next('not-counting')).toEqual(['the other', 'the same', 'the other'])
})

test('5d.12 a failed backend is left out for its pause, and then tried by one request alone', async () => {
  const { h1, h2 } = holding
  const failing = [0, 1].map(() => pair.ask({ host: 'probed', target: '/hold', node: 0 }))
  expect((await Promise.race(failing)).status).toBe(504)
  h2.releaseAll()
  await Promise.all(failing)
  expect((await pair.ask({ host: 'probed', target: '/now', node: 0 })).body).toBe('h2')
  await delay(400)

  const asked = Array.from({ length: 6 }, () => pair.ask({ host: 'probed', target: '/hold', node: 0 }))
  await eventually(
    () => h1.inFlight + h2.inFlight,
    (held) => held === 6,
  )
  expect(h1.inFlight).toBe(1)
  h1.releaseAll()
  h2.releaseAll()

  expect(countOf((await Promise.all(asked)).map(({ body }) => body))).toEqual({ h1: 1, h2: 5 })
  const later = await Promise.all([0, 1].map(() => pair.ask({ host: 'probed', target: '/now', node: 0 })))
  expect(later.map(({ body }) => body).toSorted()).toEqual(['h1', 'h2'])
})

test('5d.13 backups get newcomers while no primary can, in their order, and keep their sessions afterwards', async () => {
  const host = 'backups'
  expect(await appsOf(host, 4)).toEqual(['primary', 'primary', 'primary', 'primary'])
  const { port } = primary
  await primary[Symbol.asyncDispose]()

  const begun = await pair.ask({ host })
  expect(begun.app).toBe('b')
  expect(await appsOf(host, 4)).toEqual(['b', 'b', 'b', 'b'])

  primary = await ScriptedApp.start('primary', port)
  for (const node of [0, 1] as const) {
    await eventually(
      () => pair.ask({ host, node }),
      ({ app }) => app === 'primary',
    )
  }
  expect(await appsOf(host, 4)).toEqual(['primary', 'primary', 'primary', 'primary'])
  expect((await pair.ask({ host, cookie: cookieOf(begun) })).app).toBe('b')
})

test.each([
  ['without ejects its backend stays', 'slow', 'either'],
  ['with ejects its backend is left out', 'slow-ejected', 'a'],
])('5d.14 an answer that takes too long: %s', async (_, host, expected) => {
  const late = await eventually(
    () => pair.ask({ host, node: 0 }),
    ({ status }) => status !== 200,
  )
  expect(late.status).toBe(504)

  const after = await Promise.all(Array.from({ length: 4 }, () => pair.ask({ host, node: 0 })))

  const statuses = countOf(after.map(({ status }) => String(status)))
  expect(statuses).toEqual(expected === 'a' ? { 200: 4 } : { 200: 2, 504: 2 })
})

test.each([
  ['a body is not sent again by default', 'unkept', 'order=1!', undefined, 502],
  ['a body that was kept is sent to another backend', 'kept', 'order=2!', undefined, 200],
  ['a chunked one, too', 'kept', 'order=3!', { 'Transfer-Encoding': 'chunked' }, 200],
  ['a body that is too large to be kept is not', 'kept', `${'x'.repeat(2000)}!`, undefined, 502],
  ['nor a chunked one', 'kept', `${'y'.repeat(2000)}!`, { 'Transfer-Encoding': 'chunked' }, 502],
])('5d.14 POST to a backend that dies over it: %s', async (_, host, body, headers, status) => {
  const reply = await pair.ask({ host, method: 'POST', body, ...(headers && { headers }) })

  expect(reply.status).toBe(status)
  if (status === 200) expect(seenBy(reply)).toMatchObject({ app: 'a', method: 'POST', body })
  expect(apps.a.seen.filter((seen) => seen.body === body)).toHaveLength(status === 200 ? 1 : 0)
})

test('5d.15 no backend carries more than its limit: its sessions go elsewhere, and when all are full nobody is served', async () => {
  const { h1, h2 } = holding
  const now = (cookie?: string) => pair.ask({ host: 'limited', target: '/now', ...(cookie && { cookie }) })
  const hold = (cookie?: string) => pair.ask({ host: 'limited', target: '/hold', ...(cookie && { cookie }) })
  const first = await eventually(
    () => now(),
    ({ body }) => body === 'h1',
  )
  const second = await eventually(
    () => now(),
    ({ body }) => body === 'h1',
  )

  const held = [hold(cookieOf(first)), hold(cookieOf(first))]
  await eventually(
    () => h1.inFlight,
    (inFlight) => inFlight === 2,
  )
  expect((await now(cookieOf(second))).body).toBe('h2')
  held.push(...[0, 1, 2, 3].map(() => hold()))
  await eventually(
    () => h2.inFlight,
    (inFlight) => inFlight === 2,
  )

  for (const cookie of [undefined, undefined, cookieOf(first), cookieOf(first)]) {
    const refused = await now(cookie)
    expect(refused).toMatchObject({ status: 503, body: 'all backends are full\n' })
  }
  expect([h1.inFlight, h2.inFlight]).toEqual([2, 2])
  h1.releaseAll()
  h2.releaseAll()
  const statuses = countOf((await Promise.all(held)).map(({ status }) => String(status)))
  expect(statuses).toEqual({ 200: 4, 503: 2 })
  await eventually(
    () => now(cookieOf(first)),
    ({ body }) => body === 'h1',
  )
})

test.each([
  ['one that says so', 'x'.repeat(11), undefined, 413],
  ['one in chunks', 'x'.repeat(11), { 'Transfer-Encoding': 'chunked' }, 413],
  ['one that is just small enough', 'x'.repeat(10), undefined, 200],
  ['one in chunks that is', 'x'.repeat(10), { 'Transfer-Encoding': 'chunked' }, 200],
])('a pool takes no larger body than it says: %s', async (_, body, headers, status) => {
  const reply = await pair.ask({ host: 'small', method: 'POST', body, ...(headers && { headers }) })

  expect(reply.status).toBe(status)
})

test('5d.17 fields of clients that backends are not to see are left out, and others are not', async () => {
  const headers = { $WSRA: '1.2.3.4', $wsis: 'true', 'X-Internal': 'a', 'X-Other': 'b' }

  const seen = seenBy(await pair.ask({ host: 'small', headers })).headers

  expect(seen).toMatchObject({ 'x-other': 'b', host: 'small' })
  for (const name of ['$wsra', '$wsis', 'x-internal']) expect(seen).not.toHaveProperty([name])
})

test('what no route matches goes to the fallback pool', async () => {
  expect(await pair.ask({ host: 'nobody.example' })).toMatchObject({ status: 200, app: 'a' })
})

function configuration(): object {
  const { a, b, c } = apps
  const { h1, h2 } = holding
  const at = (app: { readonly id: string; readonly port: number }, rest: object = {}) => ({
    id: app.id,
    url: `http://127.0.0.1:${app.port}`,
    ...rest,
  })
  const mute = (rest: object = {}) => at({ id: 'silent', port: silent.port }, rest)
  const shared = { balance: 'sharedRoundRobin', backends: [at(a), at(b)] }
  const briefly = { failures: 1, for: '300ms', longest: '300ms' }
  const failing = { affinity: [], backends: [at({ id: 'dying', port: dying.port }), at(a, { backup: true })] }
  const pools = {
    turns: {
      balance: 'sharedRoundRobin',
      affinity: [],
      backends: [at(a, { weight: 4 }), at(b, { weight: 2 }), at(c, { weight: 2 })],
    },
    counting: { ...shared, countsKnown: true },
    'not-counting': shared,
    probed: {
      affinity: [],
      timeouts: { ejects: true },
      ejection: briefly,
      backends: [at(h1, { timeouts: { response: '300ms' } }), at(h2)],
    },
    backups: {
      ejection: briefly,
      backends: [
        at(c, { id: 'c', backup: true, weight: 0 }),
        at(b, { backup: true }),
        at(a, { backup: true }),
        at(primary),
      ],
    },
    slow: {
      balance: 'roundRobin',
      affinity: [],
      timeouts: { response: '200ms' },
      ejection: { failures: 1 },
      backends: [mute(), at(a)],
    },
    'slow-ejected': {
      balance: 'roundRobin',
      affinity: [],
      timeouts: { ejects: true },
      ejection: { failures: 1 },
      backends: [mute({ timeouts: { response: '200ms' } }), at(a)],
    },
    unkept: failing,
    kept: { ...failing, replayBody: '1Ki' },
    limited: { backends: [at(h1, { maxConnections: 2 }), at(h2, { maxConnections: 2 })] },
    small: { affinity: [], maxBody: '10', removeHeaders: ['$WS*', 'X-Internal'], backends: [at(a)] },
  }
  return { pools, routes: Object.keys(pools).map((pool) => ({ host: pool, pool })), fallback: 'small' }
}

async function appsOf(host: string, newcomers: number): Promise<(string | undefined)[]> {
  const replies = []
  for (let newcomer = 0; newcomer < newcomers; newcomer++) replies.push(await pair.ask({ host }))
  return replies.map(({ app }) => app)
}

function cookieOf({ cookies }: Reply): string {
  return cookies.map((cookie) => cookie.split(';')[0]).join('; ')
}

function countsOf(replies: readonly Reply[]): Record<string, number> {
  return countOf(replies.map(({ app }) => app!))
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** An application that takes connections and does with what it hears whatever it is told to. */
class RawApp implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(hears: (socket: Socket, heard: string) => unknown) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      let heard = ''
      socket.on('error', () => {})
      socket.on('data', (bytes) => {
        heard += bytes
        // A chunked body ends with more than itself.
        hears(socket, heard.replace(/\r\n0\r\n\r\n$/, ''))
      })
    })
  }

  static async start(hears: (socket: Socket, heard: string) => unknown): Promise<RawApp> {
    const app = new RawApp(hears)
    app.#server.listen(0, '127.0.0.1')
    await once(app.#server, 'listening')
    return app
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
