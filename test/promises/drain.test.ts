import type { BackendChanged, BackendDocument } from '@sticky/proxy/admin-api'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { stickyCli } from '../cli/sticky-cli.ts'
import { eventually } from '../support/eventually.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { Pair } from '../support/pair.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl, startRedis } from '../support/redis.ts'
import { CartApps, Crowd, Shopper } from '../support/shoppers.ts'

let stack: AsyncDisposableStack
let config: object
let nodes: readonly ProxyNode[]
let ports: readonly number[]
let held: readonly HoldingApp[]

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const apps = stack.use(await CartApps.start(['a', 'b', 'c']))
  held = await Promise.all(['x', 'y'].map(async (id) => stack.use(await HoldingApp.start(id))))
  const holding = held.map(({ id, port }) => ({ id, url: `http://127.0.0.1:${port}` }))
  config = {
    store: { url: redisUrl(), prefix: freshPrefix(), lease: '6s', heartbeat: '1s' },
    pools: {
      shop: { backends: apps.backends, affinity: [{ strategy: 'session-cookie', name: 'sticky', age: '30m' }] },
      bare: { backends: holding, affinity: [] },
      turns: { backends: apps.backends, affinity: [], balance: 'sharedRoundRobin' },
      spare: { backends: apps.backends.map((app, i) => ({ ...app, backup: i > 0 })), affinity: [] },
    },
    routes: [
      { path: '/held', pool: 'bare' },
      { path: '/now', pool: 'bare' },
      { host: 'turns', pool: 'turns' },
      { host: 'spare', pool: 'spare' },
      { host: 'aside', pool: 'turns', backends: ['a'], whenDrained: 'next' },
      { host: 'aside', pool: 'turns', backends: ['b'] },
      { pool: 'shop' },
    ],
  }
  nodes = await Promise.all([1, 2].map(async (n) => stack.use(await startNode(`n${n}`))))
  ports = nodes.map(({ port }) => port)
}, 30_000)

afterAll(() => stack.disposeAsync())

test('a drain with a deadline under load loses no request, and no newcomer is sent there after it was said', async () => {
  const shoppers = await shopping(150)
  await using crowd = new Crowd(shoppers, ports, 0.2)

  const said = await cli('backends', 'drain', 'shop/a')
  const drained = performance.now()
  const waited = await cli('backends', 'drain', 'shop/a', '--timeout', '1s', '--then', 'move', '--watch')
  const moved = performance.now()
  await eventually(
    () => crowd.since(moved).length,
    (visits) => visits > 200,
  )
  await crowd[Symbol.asyncDispose]()

  expect(said).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^shop\/a takes no newcomers: drain, weight 1, /),
  })
  expect(waited.stderr).toMatch(/^sticky-cli: \d+ sessions of shop\/a were moved\n$/)
  expect(waited).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/ shop\/a {2}drain {2}\d+ sessions, \d+ in flight left/),
  })
  expect(crowd.failures).toEqual([])
  const later = crowd.since(drained)
  expect(later.filter(({ isFirst }) => isFirst).length).toBeGreaterThan(20)
  expect(later.filter(({ app, isFirst }) => isFirst && app === 'a')).toEqual([])
  expect(crowd.since(moved).filter(({ app }) => app === 'a')).toEqual([])
  expect(await backend('shop', 'a')).toMatchObject({ state: 'drain', drained: true, sessions: 0, inFlight: 0 })
  const metrics = await (await fetch(`${nodes[1]!.admin}/metrics`)).text()
  expect(metrics).toContain('sticky_backend_state{pool="shop",backend="a",state="drain"} 1')
  expect(metrics).toContain('sticky_backend_state{pool="shop",backend="a",state="ready"} 0')
  await say('a', 'ready')
})

test('assigning and draining cannot race: whoever asks after the answer never gets there, however often that changes', async () => {
  await using crowd = new Crowd([], ports, 1)
  const windows: { readonly from: number; readonly to: number }[] = []

  for (let round = 0; round < 9; round++) {
    await say('a', round % 3 === 2 ? 'maint' : 'drain')
    const from = performance.now()
    await eventually(
      () => crowd.since(from).length,
      (visits) => visits > 8,
    )
    windows.push({ from, to: performance.now() })
    await say('a', 'ready')
  }
  await crowd[Symbol.asyncDispose]()

  const strays = windows.flatMap(({ from, to }) =>
    crowd.visits.filter(({ app, asked, answered }) => app === 'a' && asked >= from && answered <= to),
  )
  expect(crowd.failures).toEqual([])
  expect(strays).toEqual([])
  expect(crowd.visits.some(({ app }) => app === 'a')).toBe(true)
})

test('a weight holds on every node, and is taken back', async () => {
  const heavy = await cli('backends', 'weight', 'shop/b', '5')
  expect(heavy).toMatchObject({ code: 0, stdout: expect.stringMatching(/^shop\/b has weight 5: ready, weight 5, /) })
  for (const node of nodes) expect(await backendOn(node, 'shop', 'b')).toMatchObject({ weight: 5, state: 'ready' })

  await cli('backends', 'weight', 'shop/b', '0')
  expect(await backend('shop', 'b')).toMatchObject({ weight: 0, state: 'drain' })

  await cli('backends', 'weight', 'shop/b', 'configured')
  expect(await backend('shop', 'b')).toMatchObject({ weight: 1, state: 'ready' })
})

test.each([
  ['turns that all nodes count together', 'turns', 'turns', { a: 4, b: 4, c: 4 }, { b: 6, c: 6 }],
  ['a backup', 'spare', 'spare', { a: 12 }, { b: 12 }],
  ['a route that leaves newcomers to the next one', 'turns', 'aside', { a: 12 }, { b: 12 }],
])('a drain is heeded by %s', async (_, pool, host, before, after) => {
  const visits = async () => {
    const pair = Pair.of(nodes[0]!, nodes[1]!)
    const apps: string[] = []
    for (let n = 0; n < 12; n++) apps.push((JSON.parse((await pair.ask({ host })).body) as { app: string }).app)
    return Object.fromEntries(['a', 'b', 'c'].map((id) => [id, apps.filter((app) => app === id).length]))
  }
  const none = { a: 0, b: 0, c: 0 }

  expect(await visits()).toEqual({ ...none, ...before })
  await change(nodes[0]!, pool, 'a', { state: 'drain' })
  expect(await visits()).toEqual({ ...none, ...after })
  await change(nodes[0]!, pool, 'a', { state: 'ready' })
})

test('explaining obeys what operators said', async () => {
  await say('a', 'maint')
  await say('b', 'drain')

  const run = await cli('explain', 'http://shop.example/', '--json')
  await Promise.all([say('a', 'ready'), say('b', 'ready')])

  const { to, backends } = JSON.parse(run.stdout) as {
    to: { backend: string }
    backends: { id: string; state: string }[]
  }
  expect(to.backend).toBe('c')
  expect(backends.map(({ id, state }) => [id, state])).toEqual([
    ['a', 'maint'],
    ['b', 'drain'],
    ['c', 'ready'],
  ])
})

test('a node whose worker says nothing is named, and obeys as soon as it can', async () => {
  const [worker] = await nodes[1]!.workerPids()
  process.kill(worker!, 'SIGSTOP')
  try {
    const began = performance.now()
    const run = await cli('backends', 'drain', 'shop/a')

    expect(run.code).toBe(5)
    expect(run.stdout).toMatch(/^shop\/a takes no newcomers/)
    expect(run.stderr).toBe(
      'sticky-cli: shop/a is set to drain, but not every worker of n2 has said in time that this is in force there; sticky-cli nodes tells when it was last heard of\n',
    )
    expect(performance.now() - began).toBeLessThan(4_000)
  } finally {
    process.kill(worker!, 'SIGCONT')
  }
  await eventually(
    async () => (await say('a', 'drain')).unacknowledged,
    (missing) => missing.length === 0,
  )
  const visits = await Promise.all(Array.from({ length: 20 }, () => new Shopper().visit(ports[1]!)))
  expect(visits.filter(({ app }) => app === 'a')).toEqual([])
  await say('a', 'ready')
})

test('where sessions are in no table a drain waits for exchanges, and says so', async () => {
  const answers = [1, 2].map(() => fetch(`http://127.0.0.1:${ports[0]}/held`))
  await eventually(
    () => held.map(({ inFlight }) => inFlight),
    (inFlight) => inFlight.every((one) => one === 1),
  )

  const waited = await cli('backends', 'drain', 'bare/x', '--timeout', '300ms', '--interval', '50ms')
  const draining = cli('backends', 'drain', 'bare/x', '--timeout', '10s', '--interval', '50ms')
  held[0]!.release()
  const empty = await draining

  expect(waited).toMatchObject({ code: 5, stdout: '' })
  expect(waited.stderr).toBe(
    `sticky-cli: sessions of pool bare are in no table: only exchanges are waited for, and none can be moved or ended
sticky-cli: bare/x is not empty after 0s: 1 in flight; it stays in drain
`,
  )
  expect(empty).toMatchObject({ code: 0, stdout: 'bare/x is empty\n' })
  const apps = await Promise.all(
    Array.from({ length: 4 }, async () => (await fetch(`http://127.0.0.1:${ports[0]}/now`)).headers.get('x-backend')),
  )
  expect(apps).toEqual(['y', 'y', 'y', 'y'])
  held[1]!.release()
  await Promise.all(answers)
})

test('a node that starts later knows what operators said', async () => {
  await say('a', 'drain')
  await using late = await startNode('n3')

  expect(await backendOn(late, 'shop', 'a')).toMatchObject({ state: 'drain', since: expect.stringMatching(/Z$/) })
  const visits = await Promise.all(Array.from({ length: 20 }, () => new Shopper().visit(late.port)))
  await say('a', 'ready')

  expect(visits.filter(({ app }) => app === 'a')).toEqual([])
})

test('while Redis is away the last states stay, and one that forgot is told them again', async () => {
  await using redis = await startRedis()
  await using node = await startNode('alone', { url: redis.url, heartbeat: '200ms', commandTimeout: '200ms' })
  await change(node, 'shop', 'a', { state: 'maint', weight: 7 })

  await redis.stop()

  await eventually(
    () => backendOn(node, 'shop', 'a'),
    ({ sessions }) => sessions === null,
  )
  expect(await backendOn(node, 'shop', 'a')).toMatchObject({ state: 'maint', weight: 7, drained: false })
  await redis.start()
  await eventually(
    () => backendOn(node, 'shop', 'a'),
    ({ sessions }) => sessions !== null,
  )
  await using other = await eventually(
    () => startNode('other', { url: redis.url }),
    () => true,
  )
  expect(await backendOn(other, 'shop', 'a')).toMatchObject({ state: 'maint', weight: 7 })
})

const cli = (...words: string[]) => stickyCli([...words, '--admin', nodes[0]!.admin])

function startNode(id: string, store: object = {}): Promise<ProxyNode> {
  const { store: shared, ...rest } = config as { store: object }
  return ProxyNode.start({ ...rest, store: 'url' in store ? store : { ...shared, ...store }, node: { id, workers: 2 } })
}

/** So many shoppers who have been there once, over both nodes. */
async function shopping(many: number): Promise<Shopper[]> {
  const shoppers = Array.from({ length: many }, () => new Shopper())
  for (let at = 0; at < many; at += 50)
    await Promise.all(shoppers.slice(at, at + 50).map((shopper, i) => shopper.visit(ports[i % 2]!)))
  return shoppers
}

const say = (backend: string, state: string) => change(nodes[0]!, 'shop', backend, { state })

async function change(node: ProxyNode, pool: string, backend: string, body: object): Promise<BackendChanged> {
  const url = new URL(`/v1/pools/${pool}/backends/${backend}`, node.admin)
  const answer = await fetch(url, { method: 'PATCH', body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
  return (await answer.json()) as BackendChanged
}

const backend = (pool: string, id: string) => backendOn(nodes[1]!, pool, id)

const backendOn = (node: ProxyNode, pool: string, id: string) =>
  node.ask<BackendDocument>(`/v1/pools/${pool}/backends/${id}`)
