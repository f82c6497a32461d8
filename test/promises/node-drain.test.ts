import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'

import { stickyCli } from '../cli/sticky-cli.ts'
import { startedWorkers, workersStarted } from '../control/nodes.ts'
import { eventually } from '../support/eventually.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { VisitedApp } from '../support/visited-app.ts'
import { Visitors } from '../support/visitors.ts'

const stack = new AsyncDisposableStack()
const store = { url: redisUrl(), prefix: freshPrefix(), heartbeat: '200ms' }
let apps: readonly VisitedApp[]
/** The node that stays. */
let second: ProxyNode

beforeAll(async () => {
  apps = await Promise.all(['a', 'b', 'c'].map((id) => VisitedApp.start(id)))
  for (const app of apps) stack.use(app)
  second = await start('n2')
})

afterAll(() => stack.disposeAsync())

/** Visitors of a busy machine may be silent for half a second. */
const patient = { drain: { grace: '2s' }, shutdownTimeout: '3500ms' }

async function start(id: string, more: object = {}): Promise<ProxyNode> {
  const pools = { shop: { backends: apps.map(({ backend }) => backend) } }
  const ending = { drain: { grace: '1s' }, shutdownTimeout: '2500ms' }
  return stack.use(await ProxyNode.start({ node: { id, workers: 2 }, store, pools, ...ending, ...more }))
}

describe('a node that ends', () => {
  test('20 SIGTERM under load, behind a second node: not a request fails, nobody moves, and the node ends with 0 in time', async () => {
    const first = await start('drained', patient)
    // They know of no /readyz: a refused connection is all that sends them to the other node.
    await using visitors = await Visitors.begin(20, [first.port, second.port])

    first.signal('SIGTERM')
    await first.logged('stopping')
    const ready = await fetch(`${first.admin}/readyz`)
    const began = performance.now()
    const code = await first.exit()
    const took = performance.now() - began
    await delay(300)
    const seen = await visitors.stop()

    expect(ready.status).toBe(503)
    expect(code).toBe(0)
    expect(took).toBeLessThan(8_000)
    expect(seen).toMatchObject({ faults: [], moves: [] })
    expect(seen.visits).toBeGreaterThan(20 * 5)
  })

  test('20 SIGTERM ten times with open WebSockets: requests go on, each socket is told 1001 at the deadline, counts are given back', async () => {
    const first = await start('sockets', { ...patient, shutdownTimeout: '6s' })
    using balancer = new Balancer([first, second])
    await using visitors = await Visitors.begin(10, () => balancer.ports)
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openWebSocket(first.port)))
    const closes = sockets.map((socket) => once(socket, 'close') as Promise<[number, Buffer]>)
    await eventually(
      () => second.load('shop').then(sum),
      (count) => count >= 20,
    )

    for (let sent = 0; sent < 10; sent++) {
      first.signal('SIGTERM')
      // Each by itself, but within the second in which they are one wish, on a busy machine, too.
      await new Promise(setImmediate)
    }
    await refusal(first.port)
    const echoes = await Promise.all(sockets.map((socket) => echoed(socket, 'after the grace')))
    const codes = (await Promise.all(closes)).map(([code]) => code)
    const code = await first.exit()
    const seen = await visitors.stop()

    expect(echoes.every((echo) => /^[abc]: after the grace$/.test(echo))).toBe(true)
    expect(seen).toMatchObject({ faults: [], moves: [] })
    expect(codes).toEqual(Array(20).fill(1001))
    expect(code).toBe(0)
    expect(seen).toMatchObject({ faults: [], moves: [] })
    await eventually(
      () => second.load('shop').then(sum),
      // Others are visited meanwhile.
      (count) => count < 15,
    )
  })

  test('a POST on a connection that was idle when the drain began is answered, and told that the connection closes', async () => {
    const first = await start('posted')
    await using client = await RawClient.open(first.port)
    client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n')
    await client.until((text) => text.includes('"count":1'))

    first.signal('SIGTERM')
    await first.logged('stopping')
    await delay(200)
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello')
    await client.ended

    const [, last] = client.text.split(/(?<=\})(?=HTTP)/)
    expect(last).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(last).toMatch(/\r\nConnection: close\r\n/)
    expect(await first.exit()).toBe(0)
  })

  test('connections are accepted for the whole grace, refused after it, and idle ones are closed by then', async () => {
    const first = await start('idle', { ...patient, shutdownTimeout: '6s' })
    const idle = await Promise.all(Array.from({ length: 10 }, () => RawClient.open(first.port)))
    const closed: number[] = []

    first.signal('SIGTERM')
    await first.logged('stopping')
    const began = performance.now()
    for (const client of idle) client.ended.then(() => closed.push(performance.now() - began))
    await delay(600)
    await using late = await RawClient.open(first.port)
    late.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n')
    await late.ended
    await Promise.all(idle.map((client) => client.ended))
    await first.exit()

    expect(late.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    // Not all at once: the clients would all come back at once.
    expect(Math.min(...closed)).toBeGreaterThan(500)
    expect(Math.max(...closed)).toBeLessThan(5_000)
    expect(Math.max(...closed) - Math.min(...closed)).toBeGreaterThan(100)
  })

  test('Ctrl-C does not wait for balancers', async () => {
    const first = await start('interrupted', { drain: { grace: '30s' }, shutdownTimeout: '30s' })
    const began = performance.now()

    first.signal('SIGINT')

    expect(await first.exit()).toBe(0)
    expect(performance.now() - began).toBeLessThan(15_000)
  })

  test('a rolling restart of the workers under load: not a request fails, nobody moves, and all workers are new', async () => {
    const first = await start('restarted')
    const before = startedWorkers(first)
    await using visitors = await Visitors.begin(20, [first.port])

    const restarting = stickyCli(['nodes', 'restart', '--node', 'restarted', '--admin', first.admin])
    await workersStarted(first, 3)
    const again = await stickyCli(['nodes', 'restart', '--admin', first.admin])
    const restarted = await restarting
    const seen = await visitors.stop()

    expect(restarted).toEqual({ code: 0, stderr: '', stdout: 'restarted: 2 workers replaced\n' })
    expect(again).toMatchObject({
      code: 1,
      stderr: 'sticky-cli: the workers of this node are being replaced already\n',
    })
    expect(seen).toMatchObject({ faults: [], moves: [] })
    expect((await first.workerPids()).some((pid) => before.includes(pid))).toBe(false)
    expect(await first.workerPids()).toHaveLength(2)
    expect(first.lines.some((line) => line.msg === 'worker ended')).toBe(false)
  })

  test('a restart that is meant for another node is refused', async () => {
    const refused = await stickyCli(['nodes', 'restart', '--node', 'n9', '--admin', second.admin])

    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toBe('sticky-cli: this is node n2: ask n9 at its own admin address\n')
  })
})

/** What stands in front of nodes: it asks each all the time whether it is ready, and sends nobody to one that is not. */
class Balancer implements Disposable {
  ports: readonly number[]
  readonly #nodes: readonly ProxyNode[]
  readonly #timer: NodeJS.Timeout

  constructor(nodes: readonly ProxyNode[]) {
    this.#nodes = nodes
    this.ports = nodes.map(({ port }) => port)
    this.#timer = setInterval(() => void this.#look(), 200)
  }

  async #look(): Promise<void> {
    const ready = await Promise.all(this.#nodes.map((node) => isReady(node)))
    this.ports = this.#nodes.filter((_, index) => ready[index]).map(({ port }) => port)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

async function isReady({ admin }: ProxyNode): Promise<boolean> {
  return await fetch(`${admin}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function openWebSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  await once(socket, 'open')
  return socket
}

/** What comes back of those words, or the code with which the socket was closed. */
async function echoed(socket: WebSocket, words: string): Promise<string> {
  if (socket.readyState !== WebSocket.OPEN) return 'closed before'
  const message = Promise.race([once(socket, 'message'), once(socket, 'close')])
  socket.send(words)
  return String((await message)[0])
}

/** Resolves when nobody listens there any more. */
async function refusal(port: number): Promise<void> {
  await eventually(
    () => RawClient.open(port).then((client) => client[Symbol.asyncDispose](), String),
    (answer) => String(answer).includes('ECONNREFUSED'),
  )
}

function sum(load: Record<string, number>): number {
  return Object.values(load).reduce((total, count) => total + count, 0)
}

/** A client of which every byte is seen. */
class RawClient implements AsyncDisposable {
  text = ''
  readonly ended: Promise<unknown>
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    this.ended = once(socket, 'close')
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.text += text
    })
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  send(text: string): void {
    this.#socket.write(text)
  }

  async until(satisfied: (text: string) => boolean): Promise<void> {
    await eventually(() => this.text, satisfied)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
  }
}
