import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Alternator } from './support/alternator.ts'
import { Pair } from './support/pair.ts'
import { SocketApp } from './support/socket-app.ts'

/** 200 clients and two nodes share what cores there are. */
const PATIENCE = 50_000

const stack = new AsyncDisposableStack()
let sticky: readonly SocketApp[]
let loose: readonly SocketApp[]
let nodes: Alternator

beforeAll(async () => {
  const started = async (path: string): Promise<SocketApp[]> =>
    Promise.all(['a', 'b'].map(async (id) => stack.use(await SocketApp.start(id, path))))
  sticky = await started('/sticky')
  loose = await started('/loose')
  const backends = (apps: readonly SocketApp[]) => apps.map(({ id, url }) => ({ id, url }))
  const pair = stack.use(
    await Pair.start({
      pools: {
        sticky: { backends: backends(sticky), preset: 'socketio' },
        loose: { backends: backends(loose), balance: 'roundRobin', affinity: [] },
      },
      routes: [
        { path: '/loose/*', pool: 'loose' },
        { path: '/sticky/*', pool: 'sticky' },
      ],
    }),
  )
  nodes = stack.use(await Alternator.start(pair.nodes.map(({ port }) => port)))
})

afterAll(() => stack.disposeAsync())

/** The instances that answered a client, while it polled and after it was upgraded, or what went wrong. */
interface Outcome {
  readonly polled: readonly string[]
  readonly upgraded: string
}

/** A client as browsers have it: it polls, over a fresh connection each time, until its WebSocket stands. */
async function converse(path: string): Promise<Outcome> {
  const socket = io(`http://127.0.0.1:${nodes.port}`, {
    transports: ['polling', 'websocket'],
    path,
    reconnection: false,
    forceNew: true,
    timeout: PATIENCE,
  })
  try {
    await connected(socket)
    const polled = [await who(socket), await who(socket)]
    await upgraded(socket)
    return { polled, upgraded: await who(socket) }
  } finally {
    socket.disconnect()
  }
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
}

function who(socket: Socket): Promise<string> {
  return socket.timeout(PATIENCE).emitWithAck('who')
}

async function upgraded(socket: Socket): Promise<void> {
  const { engine } = socket.io
  if (engine.transport.name === 'websocket') return
  await new Promise<void>((resolve, reject) => {
    engine.once('upgrade', () => resolve())
    engine.once('upgradeError', reject)
    engine.once('close', (reason) => reject(new Error(reason)))
  })
}

function objectionsOf(apps: readonly SocketApp[]): string[] {
  return apps.flatMap(({ objections }) => objections)
}

test('200 clients poll over two nodes and upgrade to WebSocket, and no instance meets a session it does not know', async () => {
  const before = nodes.connections

  const outcomes = await Promise.all(Array.from({ length: 200 }, () => converse('/sticky')))

  expect(objectionsOf(sticky)).toEqual([])
  for (const { polled, upgraded } of outcomes) expect(new Set([...polled, upgraded]).size).toBe(1)
  expect(new Set(outcomes.map(({ upgraded }) => upgraded))).toEqual(new Set(['a', 'b']))
  expect(sticky.map(({ connections }) => connections).reduce((one, other) => one + other)).toBe(200)
  // Handshake, at least two polls and a WebSocket each, every one to the other node than the connection before it.
  expect(nodes.connections - before).toBeGreaterThanOrEqual(4 * 200)
})

test('without stickiness 200 clients of the same kind are told "Session ID unknown"', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => converse('/loose')))

  expect(objectionsOf(loose)).toContain('Session ID unknown')
  expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0)
})
