import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

import type { BackendChanged, BackendDocument, NodeList } from '@sticky/proxy/admin-api'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startCli, stickyCli } from '../cli/sticky-cli.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { CartApps, Crowd, Shopper, type Visit } from '../support/shoppers.ts'

// What is said of a backend while some of those who are to obey cannot hear it.

const prefix = freshPrefix()

let stack: AsyncDisposableStack
let config: {
  readonly store: object
  readonly pools: { readonly shop: object; readonly held: object }
  readonly routes: object
}
/** The second node's way to Redis. */
let way: FaultProxy
let nodes: readonly [ProxyNode, ProxyNode]
let held: readonly HoldingApp[]

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const apps = stack.use(await CartApps.start(['a', 'b', 'c']))
  held = await Promise.all(['x', 'y'].map(async (id) => stack.use(await HoldingApp.start(id))))
  const holding = held.map((app) => ({ id: app.id, url: `http://127.0.0.1:${app.port}` }))
  const affinity = [{ strategy: 'session-cookie', name: 'sticky', age: '30m' }]
  const { hostname: host, port } = new URL(redisUrl())
  way = stack.use(await FaultProxy.to({ host, port: Number(port) }))
  config = {
    store: { prefix, commandTimeout: '2s', lease: '20s', heartbeat: '500ms' },
    pools: { shop: { backends: apps.backends, affinity }, held: { backends: holding, affinity } },
    routes: [{ path: '/held', pool: 'held' }, { path: '/now', pool: 'held' }, { pool: 'shop' }],
  }
  const [one, two] = await Promise.all([
    start('n1', { url: redisUrl() }),
    start('n2', { url: `redis://127.0.0.1:${way.port}`, budget: '100ms' }),
  ])
  nodes = [stack.use(one), stack.use(two)]
}, 30_000)

afterAll(() => stack.disposeAsync())

test('a node that is cut off from Redis is named, and obeys by itself when it is back', async () => {
  const shoppers = await shoppersOn('a', nodes[0])
  way.blackhole()

  const run = await cli('backends', 'drain', 'shop/a')

  expect(run).toMatchObject({ code: 5, stdout: expect.stringMatching(/^shop\/a takes no newcomers: drain, /) })
  expect(run.stderr).toMatch(/^sticky-cli: shop\/a is set to drain, but not every worker of n2 has said in time /)
  expect(appsOf(await newcomers(nodes[0]))).not.toContain('a')
  // Whoever lives there stays, on the node that knows of the drain and by his cookie on the one that does not.
  for (const shopper of shoppers) for (const { port } of nodes) expect((await shopper.visit(port)).app).toBe('a')
  const known = (await nodes[0].ask<NodeList>('/v1/nodes')).nodes
  expect(known).toMatchObject([{ id: 'n1' }, { id: 'n2', away: null }])
  expect(known[1]!.silent).toBeGreaterThan(1.5)
  expect(await nodes[1].ask<NodeList>('/v1/nodes')).toMatchObject({
    complete: false,
    nodes: [{ id: 'n2', self: true, away: expect.any(Number) }],
  })
  way.flow()
  await eventually(
    () => wantedOn(nodes[1]),
    (wanted) => wanted === 'drain',
  )
  await eventually(
    async () => (await say('drain')).unacknowledged,
    (missing) => missing.length === 0,
  )
  expect(appsOf(await newcomers(nodes[1]))).not.toContain('a')
  await say('ready')
})

test('a node to which Redis is slow obeys before the command returns, and still tells operators what it is asked', async () => {
  way.slow(100)
  await using crowd = new Crowd([], [nodes[1].port], 1)

  const answer = await say('drain')
  const drained = performance.now()
  await eventually(
    () => crowd.since(drained).length,
    (visits) => visits > 50,
  )
  await crowd[Symbol.asyncDispose]()
  await eventually(
    async () => (await nodes[0].ask<NodeList>('/v1/nodes')).nodes.find(({ id }) => id === 'n2')?.away,
    (away) => typeof away === 'number',
  )
  const seen = await nodes[1].ask<BackendDocument>('/v1/pools/shop/backends/a')
  const counted = await nodes[1].sessionCount('shop')
  way.slow(0)

  expect(answer.unacknowledged).toEqual([])
  expect(seen).toMatchObject({ sessions: expect.any(Number), inFlight: expect.any(Number) })
  expect(counted).toBeGreaterThan(0)
  expect(crowd.failures).toEqual([])
  expect(appsOf(crowd.since(drained))).not.toContain('a')
  await say('ready')
})

test('a worker that is about to serve has to say that it obeys, too', async () => {
  const before = await nodes[1].workerPids()
  process.kill(before[0]!, 'SIGKILL')
  const [starting] = await eventually(
    async () => (await nodes[1].workerPids()).filter((pid) => !before.includes(pid)),
    (pids) => pids.length > 0,
  )
  process.kill(starting!, 'SIGSTOP')

  const named = await say('drain').finally(() => process.kill(starting!, 'SIGCONT'))

  expect(named.unacknowledged).toEqual(['n2'])
  await nodes[1].logged('worker started', ({ worker_pid }) => worker_pid === starting)
  expect((await say('drain')).unacknowledged).toEqual([])
  expect(appsOf(await newcomers(nodes[1]))).not.toContain('a')
  await say('ready')
})

test('of what several operators say at once by several nodes the last counts, and all nodes agree on it', async () => {
  const states = ['drain', 'ready', 'maint'] as const

  const answers = await Promise.all(Array.from({ length: 24 }, (_, n) => say(states[n % 3]!, nodes[n % 2]!)))

  expect(answers.flatMap(({ unacknowledged }) => unacknowledged)).toEqual([])
  const agreed = await Promise.all(nodes.map(wantedOn))
  expect(agreed[0]).toBe(agreed[1])
  // Whoever was answered last saw what is in force.
  expect(answers.map(({ wanted }) => wanted)).toContain(agreed[0])
  await say('ready')
})

test('what a store forgot is not undone by what is said next', async () => {
  await say('drain')
  const redis = new Redis(redisUrl())
  const orders = (await redis.keys(`${prefix}:*:orders`))[0]!
  await redis.del(orders)
  redis.disconnect()

  expect(await change({ weight: 5 })).toMatchObject({ wanted: 'drain', weight: 5 })

  await change({ state: 'ready', weight: null })
})

test('neither a reload nor a worker that is killed lets a newcomer through', async () => {
  await say('drain')
  const drained = performance.now()
  await using crowd = new Crowd([], [nodes[1].port], 1)

  const { pools, ...rest } = settings('n2', { url: `redis://127.0.0.1:${way.port}`, budget: '100ms' })
  const shop = { ...pools.shop, ejection: { failures: 7 }, balance: 'roundRobin' }
  await nodes[1].write({ ...rest, pools: { ...pools, shop } })
  const { status } = await nodes[1].reload()
  const [killed] = await nodes[1].workerPids()
  process.kill(killed!, 'SIGKILL')
  await nodes[1].logged('worker ended', ({ worker_pid }) => worker_pid === killed)
  const ended = performance.now()
  await eventually(
    () => crowd.since(ended).length,
    (visits) => visits > 50,
  )
  await crowd[Symbol.asyncDispose]()

  expect(status).toBe(200)
  expect(appsOf(crowd.since(drained))).not.toContain('a')
  await say('ready')
})

test('a session that an answer under way begins after all others were moved is moved, too', async () => {
  const answering = fetch(`http://127.0.0.1:${nodes[1].port}/held`)
  const [late] = await eventually(
    () => held.filter(({ inFlight }) => inFlight === 1),
    ({ length }) => length === 1,
  )
  const words = ['--timeout', '100ms', '--then', 'move', '--watch', '--interval', '100ms', '--admin', nodes[0].admin]
  const draining = startCli(['backends', 'drain', `held/${late!.id}`, ...words])
  const said = text(draining.stderr)
  const ended = once(draining, 'close')
  const seen: string[] = []
  for await (const line of createInterface(draining.stdout)) {
    // Long after the deadline, and what came with it.
    if (seen.push(line) === 5) late!.release()
  }

  const cookie = (await answering).headers
    .getSetCookie()
    .find((set) => set.startsWith('sticky='))!
    .split(';')[0]!
  expect((await ended)[0]).toBe(0)
  expect(seen.at(-1)).toBe(`held/${late!.id} is empty`)
  expect(await said).toBe(`sticky-cli: 1 sessions of held/${late!.id} were moved\n`)
  const next = await fetch(`http://127.0.0.1:${nodes[0].port}/now`, { headers: { cookie } })
  expect(next.headers.get('x-backend')).not.toBe(late!.id)
})

test('a node that was killed is named until its lease ends, and what was said outlives all nodes', async () => {
  await nodes[1].kill()

  expect((await say('drain')).unacknowledged).toEqual(['n2'])
  await nodes[0].kill()

  await using again = await start('n3', { url: redisUrl() })

  expect(await wantedOn(again)).toBe('drain')
  expect(appsOf(await newcomers(again))).not.toContain('a')
})

const cli = (...words: string[]) => stickyCli([...words, '--admin', nodes[0].admin])

function settings(id: string, own: object) {
  return { ...config, store: { ...config.store, ...own }, node: { id, workers: 2 } }
}

function start(id: string, own: object): Promise<ProxyNode> {
  return ProxyNode.start(settings(id, own))
}

const say = (state: string, node?: ProxyNode) => change({ state }, node)

async function change(wish: object, node = nodes[0]): Promise<BackendChanged> {
  const url = new URL('/v1/pools/shop/backends/a', node.admin)
  const answer = await fetch(url, { method: 'PATCH', body: JSON.stringify(wish) })
  expect(answer.status).toBe(200)
  return (await answer.json()) as BackendChanged
}

async function wantedOn(node: ProxyNode): Promise<BackendDocument['wanted']> {
  return (await node.ask<BackendDocument>('/v1/pools/shop/backends/a')).wanted
}

/** Some who begin their sessions there. */
async function shoppersOn(app: string, node: ProxyNode): Promise<readonly Shopper[]> {
  const shoppers = Array.from({ length: 12 }, () => new Shopper())
  const visits = await Promise.all(shoppers.map((shopper) => shopper.visit(node.port)))
  return shoppers.filter((_, i) => visits[i]!.app === app)
}

function newcomers({ port }: ProxyNode): Promise<readonly Visit[]> {
  return Promise.all(Array.from({ length: 20 }, () => new Shopper().visit(port)))
}

function appsOf(visits: readonly Visit[]): readonly string[] {
  return visits.map(({ app }) => app)
}
