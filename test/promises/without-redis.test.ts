import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { loginApps } from '../support/login-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { startRedis } from '../support/redis.ts'

// Rows of the failure matrix that concern one Redis, in short form: errors, moves and counts, hardly any times.

const budget = '100ms'
const kinds = ['session-cookie', 'persistence-key'] as const

const affinities = {
  'session-cookie': { strategy: 'session-cookie', begin: 'on-cookie', age: '30m' },
  'persistence-key': { strategy: 'persistence-key', from: [{ cookie: 'app.sid' }], age: '30m', backup: 'cookie' },
}

/** Without a cookie of ours: what a worker knows of it is all there is. */
const plain = { strategy: 'persistence-key', from: [{ cookie: 'app.sid' }], age: '30m' }

/** Two nodes and their way to Redis. */
interface Cluster {
  readonly redis: LocalRedis
  readonly way: FaultProxy
  readonly nodes: readonly [ProxyNode, ProxyNode]
}

async function start(stack: AsyncDisposableStack, apps: { readonly backends: readonly object[] }, redisRuns = true) {
  const redis = stack.use(await startRedis())
  const way = stack.use(await FaultProxy.to({ port: redis.port }))
  if (!redisRuns) await Promise.all([redis.kill(), way.refuse()])
  const shared = {
    node: { workers: 1 },
    // Configured, so that nodes which could not meet yet honour each other's cookies.
    secrets: ['a secret of at least thirty-two characters'],
    store: { url: `redis://127.0.0.1:${way.port}`, budget, commandTimeout: '500ms', heartbeat: '500ms' },
    routes: [...kinds, 'plain'].map((pool) => ({ host: `${pool}.example`, pool })),
    pools: {
      ...Object.fromEntries(kinds.map((kind) => [kind, { backends: apps.backends, affinity: [affinities[kind]] }])),
      plain: { backends: apps.backends, affinity: [plain] },
    },
  }
  const started = ['n1', 'n2'].map((id) => ProxyNode.start(shared, ['--node-id', id]))
  const [one, two] = await Promise.all(started)
  return { redis, way, nodes: [stack.use(one!), stack.use(two!)] } as const
}

async function readiness({ admin }: ProxyNode): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(new URL('/readyz', admin))
  return { status: answer.status, text: await answer.text() }
}

async function until(ready: boolean, { nodes }: Pick<Cluster, 'nodes'>, within?: number): Promise<void> {
  const wanted = ready ? 200 : 503
  for (const node of nodes)
    await eventually(
      () => readiness(node),
      ({ status }) => status === wanted,
      within,
    )
}

/** Visitors of both pools, who come to another node each time; every reply is checked. */
class Visitors {
  readonly errors: string[] = []
  readonly moved: string[] = []
  readonly #nodes: readonly ProxyNode[]
  readonly #known: { readonly name: string; readonly browser: Browser }[] = []
  #turn = 0

  constructor({ nodes }: Pick<Cluster, 'nodes'>) {
    this.#nodes = nodes
  }

  get count(): number {
    return this.#known.length
  }

  async begin(count = 4): Promise<void> {
    for (let each = 0; each < count; each++) {
      const kind = kinds[each % kinds.length]!
      const name = `${kind}-${this.#known.length}`
      const browser = new Browser(`${kind}.example`)
      const page = await browser.post(this.#next(), `/login/${name}`)
      if (page.status !== 200) this.errors.push(`${name} could not log in: ${page.status} ${page.body}`)
      this.#known.push({ name, browser })
    }
  }

  /** Everybody comes back, to both nodes. */
  async return(): Promise<void> {
    for (const { name, browser } of [...this.#known, ...this.#known]) {
      const page = await browser.get(this.#next(), '/visit')
      if (page.status !== 200) this.errors.push(`${name} came back: ${page.status} ${page.body}`)
      else if ((JSON.parse(page.body) as { user: string }).user !== name) this.moved.push(name)
    }
    this.#turn++
  }

  #next(): number {
    return this.#nodes[this.#turn++ % this.#nodes.length]!.port
  }
}

/** Leaves no memory to Redis; `policy` says what it does then. */
async function fill({ redis }: Cluster, policy: 'noeviction' | 'allkeys-lru'): Promise<void> {
  await command(redis, 'CONFIG', 'SET', 'maxmemory-policy', policy, 'maxmemory', '1mb')
}

async function empty({ redis }: Cluster): Promise<void> {
  await command(redis, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '0')
}

async function command({ url }: LocalRedis, name: string, ...args: readonly string[]): Promise<void> {
  const client = new Redis(url)
  try {
    await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}

async function nodeCount(node: ProxyNode): Promise<number> {
  return (await node.ask<{ readonly nodes: readonly unknown[] }>('/v1/nodes').catch(() => ({ nodes: [] }))).nodes.length
}

async function timed(what: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await what()
  return performance.now() - began
}

async function metric({ admin }: ProxyNode, line: RegExp): Promise<number> {
  const text = await (await fetch(new URL('/metrics', admin))).text()
  return Number(line.exec(text)?.[1] ?? Number.NaN)
}

const sessionsOf = async (node: ProxyNode, pools: readonly string[] = kinds): Promise<number> =>
  (await Promise.all(pools.map((kind) => node.sessionCount(kind).catch(() => 0)))).reduce((sum, count) => sum + count)

/** They come until the table has them all, and perhaps others from before: workers find a Redis that is back one after the other. */
async function filledBy(visitors: Visitors, { nodes }: Cluster): Promise<void> {
  await eventually(
    () => visitors.return().then(() => sessionsOf(nodes[1])),
    (count) => count >= visitors.count,
  )
}

let apps: Awaited<ReturnType<typeof loginApps>>
beforeAll(async () => {
  apps = await loginApps(['a', 'b'])
})
afterAll(() => apps[Symbol.asyncDispose]())

test('row 1: Redis absent at start: nodes serve at once, say that they are degraded, and join it when it appears', {
  timeout: 60_000,
}, async () => {
  await using stack = new AsyncDisposableStack()
  let cluster!: Cluster
  const waited = await timed(async () => {
    cluster = await start(stack, apps, false)
  })
  const { redis, way, nodes } = cluster
  const visitors = new Visitors(cluster)
  await visitors.begin()
  await visitors.return()
  const ready = await readiness(nodes[0])
  const health = await fetch(new URL('/healthz', nodes[0].admin))

  await redis.start()
  await way.accept()
  const joined = await timed(async () => {
    for (const node of nodes)
      await eventually(
        () => nodeCount(node),
        (count) => count === 2,
      )
    await eventually(
      () => sessionsOf(nodes[0]),
      (count) => count === 4,
    )
  })
  await until(true, cluster)
  await visitors.return()

  expect(visitors).toMatchObject({ errors: [], moved: [] })
  expect(ready).toMatchObject({ status: 503, text: expect.stringContaining('degraded: the store is away') })
  expect(health.status).toBe(200)
  expect(waited).toBeLessThan(10_000)
  expect(joined).toBeLessThan(5_000)
})

describe('with a Redis that fails later', () => {
  const stack = new AsyncDisposableStack()
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await start(stack, apps)
    await until(true, cluster)
  }, 30_000)
  afterEach(() => until(true, cluster), 30_000)
  afterAll(() => stack.disposeAsync())

  test('row 2: killed, and back empty: nobody is refused or moved, newcomers get in, and the table fills again', {
    timeout: 30_000,
  }, async () => {
    const visitors = new Visitors(cluster)
    await visitors.begin()

    await cluster.redis.kill()
    cluster.way.cut()
    await visitors.return()
    await visitors.begin()
    await visitors.return()
    await until(false, cluster)
    await cluster.redis.start()
    await until(true, cluster)
    await filledBy(visitors, cluster)

    expect(visitors).toMatchObject({ errors: [], moved: [] })
  })

  test('row 3: 500 ms slow: nobody waits longer than the budget, and only once', { timeout: 30_000 }, async () => {
    const visitors = new Visitors(cluster)
    await visitors.begin()

    cluster.way.slow(250)
    await until(false, cluster)
    const begun = await timed(() => visitors.begin())
    const returned = await timed(() => visitors.return())
    const stayed = await readiness(cluster.nodes[0])
    const late = await metric(cluster.nodes[0], /^sticky_store_late_total\{role="requests"\} (\d+)/m)
    cluster.way.slow(0)
    await until(true, cluster, 3_000)
    await visitors.return()

    expect(visitors).toMatchObject({ errors: [], moved: [] })
    // A Redis that is always late is not tried again and again.
    expect(stayed.status).toBe(503)
    expect(late).toBeGreaterThan(0)
    expect(late).toBeLessThan(20)
    // Each of these would have waited for half a second several times.
    expect(begun + returned).toBeLessThan(4_000)
  })

  test('row 4: frozen: found out within 3 s, and its return within 3 s', { timeout: 30_000 }, async () => {
    const visitors = new Visitors(cluster)
    await visitors.begin()

    cluster.redis.pause()
    const noticed = await timed(() => until(false, cluster))
    await visitors.return()
    await visitors.begin()
    cluster.redis.resume()
    const found = await timed(() => until(true, cluster))
    await visitors.return()

    expect(visitors).toMatchObject({ errors: [], moved: [] })
    expect(noticed).toBeLessThan(3_000)
    expect(found).toBeLessThan(3_000)
  })

  test('row 7: flushed: nobody moves, and counts are right again', { timeout: 30_000 }, async () => {
    const visitors = new Visitors(cluster)
    await visitors.begin()

    await command(cluster.redis, 'FLUSHALL')
    await visitors.return()
    await visitors.begin()
    await filledBy(visitors, cluster)

    expect(visitors).toMatchObject({ errors: [], moved: [] })
    await eventually(
      () => nodeCount(cluster.nodes[0]),
      (count) => count === 2,
    )
    for (const backend of ['a', 'b']) {
      const line = new RegExp(
        `^sticky_backend_connections\\{[^}]*backend="${backend}"[^}]*scope="cluster"\\} (\\d+)`,
        'm',
      )
      await eventually(
        () => metric(cluster.nodes[0], line),
        (count) => count === 0,
      )
    }
  })

  test('row 7: evicting whatever is oldest: nobody moves, and who looks at a Redis like that warns of it', {
    timeout: 30_000,
  }, async () => {
    const visitors = new Visitors(cluster)
    const warnings = () => metric(cluster.nodes[0], /^sticky_store_warnings (\d+)/m)
    await until(true, cluster)
    const before = await warnings()
    await visitors.begin()

    await fill(cluster, 'allkeys-lru')
    await visitors.return()
    await visitors.begin()
    const losses = () =>
      cluster.nodes[0].lines.filter(({ msg, role }) => msg === 'store lost' && role === 'upkeep').length
    const lost = losses()
    cluster.way.refuses = true
    cluster.way.cut()
    await eventually(losses, (count) => count > lost)
    cluster.way.refuses = false
    await eventually(warnings, (count) => count === before + 1)
    await until(true, cluster)
    await visitors.return()
    await empty(cluster)

    expect(visitors).toMatchObject({ errors: [], moved: [] })
  })

  test('a learned key without a cookie of ours goes home where it was seen, begun before or meanwhile', {
    timeout: 30_000,
  }, async () => {
    const [node] = cluster.nodes
    const [before, meanwhile] = [new Browser('plain.example'), new Browser('plain.example')]
    const user = async (browser: Browser) =>
      (JSON.parse((await browser.get(node.port, '/visit')).body) as { user: string }).user
    await before.post(node.port, '/login/ada')

    await cluster.redis.kill()
    await until(false, cluster)
    await meanwhile.post(node.port, '/login/bo')
    const away = [await user(before), await user(meanwhile)]
    await cluster.redis.start()
    await until(true, cluster)
    let back: readonly string[] = []
    // A worker finds the Redis that is back when it does.
    await eventually(
      async () => {
        back = [await user(before), await user(meanwhile)]
        return sessionsOf(node, ['plain'])
      },
      (count) => count === 2 || String(back) !== 'ada,bo',
    )

    expect([away, back]).toEqual([
      ['ada', 'bo'],
      ['ada', 'bo'],
    ])
  })

  test('row 8: full: sessions go on, newcomers get in, and operators are told', { timeout: 30_000 }, async () => {
    const visitors = new Visitors(cluster)
    await visitors.begin()

    await fill(cluster, 'noeviction')
    await visitors.return()
    await visitors.begin()
    await visitors.return()
    const refused = await metric(cluster.nodes[0], /^sticky_store_writes_refused_total (\d+)/m)
    await empty(cluster)
    await visitors.return()

    expect(visitors).toMatchObject({ errors: [], moved: [] })
    expect(refused).toBeGreaterThan(0)
    await eventually(
      () => sessionsOf(cluster.nodes[0]),
      (count) => count >= 8,
    )
  })
})
