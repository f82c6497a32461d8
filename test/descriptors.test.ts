import { execFileSync } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { eventually } from './support/eventually.ts'
import { ProxyNode } from './support/proxy-node.ts'
import { freshPrefix, redisUrl } from './support/redis.ts'
import { ScriptedApp } from './support/scripted-app.ts'

// Of 256 descriptors a process keeps 64 for itself and a quarter of the rest for backends: 144 are for clients.

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** A client's connection, and what came of it. */
interface Held {
  readonly socket: Socket
  received: string
  closed: boolean
}

function hold(port: number): Held {
  const socket = connect(port, '127.0.0.1')
  const held: Held = { socket, received: '', closed: false }
  socket.on('data', (bytes) => (held.received += bytes.toString('latin1')))
  socket.on('error', () => {})
  socket.on('close', () => (held.closed = true))
  return held
}

function canLimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Seconds of processor time that a process has used. */
async function processorTime(node: ProxyNode): Promise<number> {
  const text = await (await fetch(new URL('/metrics', node.admin))).text()
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)![1])
}

async function refused(node: ProxyNode, reason: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', node.admin))).text()
  return Number(new RegExp(`^sticky_client_connections_refused_total{reason="${reason}"} (\\d+)$`, 'm').exec(text)![1])
}

describe.skipIf(!canLimit())('row 22: a node with 256 descriptors and 1000 clients', () => {
  const opened = new AsyncDisposableStack()
  let node: ProxyNode

  beforeAll(async () => {
    const app = opened.use(await ScriptedApp.start('a'))
    const config = {
      store: { url: redisUrl(), prefix: freshPrefix() },
      node: { id: 'n1', workers: 1 },
      pools: { shop: { backends: [{ id: 'a', url: app.url }] } },
    }
    node = opened.use(await ProxyNode.start(config, [], { under: ['prlimit', '--nofile=256:256'] }))
  }, 30_000)

  afterAll(() => opened.disposeAsync())

  test('serves 144 of them, tells the others, and serves again when some have left', async () => {
    const pids = await node.workerPids()
    const clients = Array.from({ length: 1_000 }, () => hold(node.port))
    await eventually(
      () => clients.filter(({ closed }) => closed).length,
      (closed) => closed === 1_000 - 144,
    )
    const before = await processorTime(node)
    const begun = performance.now()

    const open = clients.filter(({ closed }) => !closed)
    for (let first = 0; first < open.length; first += 36) {
      const some = open.slice(first, first + 36)
      for (const { socket } of some) socket.write(GET)
      await eventually(() => some.every(({ received }) => received.startsWith('HTTP/1.1 200')), Boolean)
    }
    const share = (1_000 * ((await processorTime(node)) - before)) / (performance.now() - begun)

    expect(clients.filter(({ received }) => received.startsWith('HTTP/1.1 503')).length).toBeGreaterThan(0)
    expect(await refused(node, 'descriptors')).toBeGreaterThanOrEqual(1_000 - 144)
    expect((await fetch(new URL('/healthz', node.admin))).status).toBe(200)
    expect(share).toBeLessThan(2)
    expect(node.lines.filter(({ msg }) => msg === 'connections refused')).toHaveLength(1)

    for (const { socket } of open.slice(0, 50)) socket.destroy()
    const again = await eventually(
      async () => {
        const next = hold(node.port)
        next.socket.write(GET)
        await eventually(() => next.received !== '' || next.closed, Boolean)
        next.socket.destroy()
        return next.received
      },
      (received) => received.startsWith('HTTP/1.1 200'),
    )

    expect(again).toContain('200 OK')
    expect(await node.workerPids()).toEqual(pids)
    for (const { socket } of clients) socket.destroy()
  })
})

describe('limits.connections and connectionsPerClient', () => {
  test.each([
    ['connections', { connections: 5 }, 'limit'],
    ['connectionsPerClient', { connectionsPerClient: 5 }, 'client-limit'],
  ])('with %s of 5, the sixth gets 503, and one is served when another has left', async (_, limits, reason) => {
    await using app = await ScriptedApp.start('a')
    await using node = await ProxyNode.start({ limits, pools: { shop: { backends: [{ id: 'a', url: app.url }] } } })
    const clients = Array.from({ length: 5 }, () => hold(node.port))
    for (const { socket } of clients) socket.write(GET)
    await eventually(() => clients.every(({ received }) => received.startsWith('HTTP/1.1 200')), Boolean)

    const sixth = hold(node.port)
    await eventually(() => sixth.closed, Boolean)
    clients[0]!.socket.destroy()
    const seventh = await eventually(
      async () => {
        const next = hold(node.port)
        next.socket.write(GET)
        await eventually(() => next.received !== '' || next.closed, Boolean)
        next.socket.destroy()
        return next.received
      },
      (received) => received.startsWith('HTTP/1.1 200'),
    )

    expect(sixth.received).toMatch(/^HTTP\/1.1 503 .*Retry-After: 2.*too many connections\n$/s)
    expect(seventh).toContain('200 OK')
    expect(await refused(node, reason)).toBeGreaterThan(0)
    for (const { socket } of clients) socket.destroy()
  })
})
