import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

import type { SessionMoved, SessionResource } from '@sticky/proxy/admin-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { stickyCli } from '../cli/sticky-cli.ts'
import { eventually } from '../support/eventually.ts'
import { Pair } from '../support/pair.ts'
import { CartApps, Crowd, Shopper } from '../support/shoppers.ts'

const sessions = 500

let stack: AsyncDisposableStack
let pair: Pair
let ports: readonly number[]

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const apps = stack.use(await CartApps.start(['a', 'b', 'c']))
  const sockets = await Promise.all(['a', 'b'].map(async (id) => stack.use(await SocketApp.start(id))))
  const affinity = [{ strategy: 'session-cookie', name: 'sticky', age: '30m' }]
  pair = stack.use(
    await Pair.start({
      pools: {
        shop: { backends: apps.backends, affinity },
        chat: { backends: sockets.map(({ backend }) => backend), affinity },
      },
      routes: [{ host: 'chat.example', pool: 'chat' }, { pool: 'shop' }],
    }),
  )
  ports = pair.nodes.map(({ port }) => port)
}, 30_000)

afterAll(() => stack.disposeAsync())

test('500 sessions move under load: every request that is sent afterwards, to either node, finds its cart at the new home', async () => {
  const shoppers = Array.from({ length: sessions }, () => new Shopper())
  await Promise.all(['b', 'c'].map((backend) => cli('backends', 'drain', `shop/${backend}`)))
  for (let at = 0; at < sessions; at += 50)
    await Promise.all(shoppers.slice(at, at + 50).map((shopper) => shopper.visit(ports[at % 2]!)))
  await Promise.all(['b', 'c'].map((backend) => cli('backends', 'ready', `shop/${backend}`)))
  await using crowd = new Crowd(shoppers, ports, 0)

  const dry = await cli('sessions', 'move', '--from', 'shop/a', '--to', 'b', '--dry-run')
  const run = await cli('sessions', 'move', '--from', 'a', '--to', 'b', '--pool', 'shop', '--rate', '1000/s')
  const moved = performance.now()
  await eventually(
    () => crowd.since(moved).length,
    (visits) => visits > 500,
  )
  await crowd[Symbol.asyncDispose]()

  expect(dry).toMatchObject({ code: 0, stdout: `${sessions} sessions would move from a to b\n` })
  expect(run).toMatchObject({ code: 0, stdout: `${sessions} sessions moved from a to b\n` })
  expect(run.stderr).toMatch(/^sticky-cli: \d+ sessions moved so far$/m)
  expect(crowd.failures).toEqual([])
  expect(new Set(crowd.since(moved).map(({ app }) => app))).toEqual(new Set(['b']))
  for (const shopper of shoppers.slice(0, 100))
    for (const port of ports) expect((await shopper.visit(port)).app).toBe('b')
  expect(await counts()).toEqual({ a: 0, b: sessions, c: 0 })
  const metrics = await (await fetch(`${pair.nodes[0].admin}/metrics`)).text()
  expect(metrics).toContain(`sticky_session_moves_total{pool="shop",reason="operator"} ${sessions}`)
})

test('no faster than asked, and no more than asked, they spread over the others by what those have', async () => {
  const began = performance.now()

  const run = await cli('sessions', 'move', '--from', 'shop/b', '--limit', '100', '--rate', '100')

  expect(performance.now() - began).toBeGreaterThan(900)
  expect(run).toMatchObject({ code: 0, stdout: '100 sessions moved away from b\n' })
  expect(await counts()).toEqual({ a: 50, b: sessions - 100, c: 50 })
})

test('a session moves only if it has the version that was asked for', async () => {
  const session = await anySessionOn('b')
  const move = (body: object) => patch(`/v1/sessions/${session.id}`, body)

  const late = await move({ backend: 'a', ifVersion: session.version - 1 })
  const moved = await move({ backend: 'a', ifVersion: session.version })
  const again = await move({ backend: 'c', ifVersion: session.version })

  expect([late.status, moved.status, again.status]).toEqual([409, 200, 409])
  expect(await late.json()).toMatchObject({ code: 'version-conflict' })
  const resource = (await moved.json()) as SessionMoved
  expect(resource).toMatchObject({ id: session.id, backend: 'a', created: session.created, unacknowledged: [] })
  expect(resource.version).toBeGreaterThan(session.version)
})

test.each([
  ['a backend that nobody has', ['sessions', 'move', '--from', 'shop/b', '--to', 'x'], 3],
  ['a pool that nobody has', ['sessions', 'move', '--from', 'nowhere/b', '--to', 'a'], 3],
  ['a backend that several pools have', ['sessions', 'move', '--from', 'a', '--to', 'b', '--dry-run'], 2],
  ['a session that does not live', ['sessions', 'move', 'AAAAAAAAAAAAAAAAAAAAAA', '--to', 'b'], 3],
  ['neither an id nor a backend', ['sessions', 'move', '--to', 'b'], 2],
  ['an id without a backend to go to', ['sessions', 'move', 'AAAAAAAAAAAAAAAAAAAAAA'], 2],
  ['a weight that is none', ['backends', 'weight', 'shop/a', 'heavy'], 2],
  ['a state for a backend that nobody has', ['backends', 'drain', 'shop/x'], 3],
  ['a backend without its pool', ['backends', 'drain', 'a'], 2],
])('%s is refused, and nothing moves', async (_, words, code) => {
  const before = await counts()

  const run = await cli(...words)

  expect(run.code).toBe(code)
  expect(run.stderr).toMatch(/^sticky-cli: \S/)
  expect(await counts()).toEqual(before)
})

test('to a backend that gets no newcomers no session is moved', async () => {
  const session = await anySessionOn('b')
  await cli('backends', 'maint', 'shop/c')

  const answer = await patch(`/v1/sessions/${session.id}`, { backend: 'c' })
  await cli('backends', 'ready', 'shop/c')

  expect(answer.status).toBe(409)
  expect(await answer.json()).toMatchObject({ code: 'backend-not-ready' })
})

test('WebSockets of a session that moves stay open, and are closed with 1012 when that is asked for', async () => {
  const { cookie, id } = await chatter()
  const open = await Promise.all(ports.map((port) => chatOver(port, cookie)))
  const home = open[0]!.app
  const other = home === 'a' ? 'b' : 'a'

  const kept = await cli('sessions', 'move', id, '--to', other, '--pool', 'chat')
  const echoes = await Promise.all(open.map(({ socket }) => echoOf(socket)))
  const closings = open.map(({ socket }) => once(socket, 'close'))
  const back = await cli('sessions', 'move', id, '--to', home)
  const closed = await cli('sessions', 'move', id, '--to', other, '--close')

  expect([kept.code, back.code, closed.code]).toEqual([0, 0, 0])
  expect(echoes).toEqual([`${home}: hello`, `${home}: hello`])
  expect((await Promise.all(closings)).map(([code]) => code)).toEqual([1012, 1012])
  const anew = await chatOver(ports[0]!, cookie)
  expect(anew.app).toBe(other)
  anew.socket.terminate()
})

test('those of a session that ends are closed, too, and one in the midst of a frame is cut', async () => {
  const { cookie, id } = await chatter()
  const whole = await chatOver(ports[0]!, cookie)
  const half = await chatOver(ports[1]!, cookie, '/half')
  const closings = [whole, half].map(({ socket }) => once(socket, 'close'))
  half.socket.on('error', () => {})

  const ended = await cli('sessions', 'end', id, '--close')

  expect(ended.code).toBe(0)
  expect((await Promise.all(closings)).map(([code]) => code)).toEqual([1012, 1006])
})

const cli = (...words: string[]) => stickyCli([...words, '--admin', pair.nodes[0].admin])

const patch = (path: string, body: object) =>
  fetch(new URL(path, pair.nodes[1].admin), { method: 'PATCH', body: JSON.stringify(body) })

async function counts(): Promise<Record<string, number>> {
  const { pools } = await pair.nodes[1].ask<{ pools: { backends: { backend: string; sessions: number }[] }[] }>(
    '/v1/sessions:count?pool=shop',
  )
  return Object.fromEntries(pools[0]!.backends.map(({ backend, sessions }) => [backend, sessions]))
}

async function anySessionOn(backend: string): Promise<SessionResource> {
  const run = await cli('sessions', '--pool', 'shop', '--backend', backend, '--limit', '1', '--json')
  return JSON.parse(run.stdout) as SessionResource
}

/** A client that has a session of pool chat: its Cookie field, and the session's id. */
async function chatter(): Promise<{ readonly cookie: string; readonly id: string }> {
  const before = new Set(await chatSessions())
  const socket = new WebSocket(`ws://127.0.0.1:${ports[0]}/`, { headers: { Host: 'chat.example' } })
  const [response] = (await once(socket, 'upgrade')) as [{ headers: { 'set-cookie'?: string[] } }]
  socket.terminate()
  const id = (await chatSessions()).find((session) => !before.has(session))!
  return { cookie: response.headers['set-cookie']![0]!.split(';')[0]!, id }
}

async function chatSessions(): Promise<string[]> {
  const run = await cli('sessions', '--pool', 'chat', '--json')
  return run.stdout.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as SessionResource).id]))
}

async function chatOver(port: number, cookie: string, path = '/'): Promise<{ socket: WebSocket; app: string }> {
  const headers = { Host: 'chat.example', Cookie: cookie }
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  const opened = once(socket, 'open')
  if (path === '/half') {
    await opened
    return { socket, app: '' }
  }
  const [[greeting]] = await Promise.all([once(socket, 'message') as Promise<[Buffer]>, opened])
  return { socket, app: String(greeting) }
}

async function echoOf(socket: WebSocket): Promise<string> {
  socket.send('hello')
  const [echo] = (await once(socket, 'message')) as [Buffer]
  return String(echo)
}

/** An application that says who it is when a WebSocket opens, and echoes; at `/half` it never ends its first frame. */
class SocketApp implements AsyncDisposable {
  readonly #id: string
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()

  private constructor(id: string, server: Server) {
    this.#id = id
    this.#server = server
  }

  static async start(id: string): Promise<SocketApp> {
    const server = createServer((_, response) => response.end(id))
    const app = new SocketApp(id, server)
    const greeting = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, socket, head) => {
      app.#sockets.add(socket)
      socket.on('error', () => {})
      greeting.handleUpgrade(request, socket, head, (client) => {
        client.on('error', () => {})
        if (request.url === '/half') return void socket.write(Buffer.of(0x82, 10, 1, 2, 3))
        client.on('message', (message) => client.send(`${id}: ${message}`))
        client.send(id)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return app
  }

  get backend(): object {
    return { id: this.#id, url: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.closeAllConnections()
    await once(this.#server.close(), 'close')
  }
}
