import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'

// commandTimeout is generous below: a busy machine must not look like a store that is away.
const LEASE = 2_000
const HELD = 20

async function cluster(stack: AsyncDisposableStack): Promise<{ apps: HoldingApp[]; nodes: ProxyNode[] }> {
  const apps = [stack.use(await HoldingApp.start('a')), stack.use(await HoldingApp.start('b'))]
  const shared = {
    node: { workers: 2 },
    store: {
      url: redisUrl(),
      prefix: freshPrefix(),
      lease: `${LEASE}ms`,
      heartbeat: '500ms',
      commandTimeout: '10s',
      budget: '10s',
    },
    pools: {
      shop: {
        backends: apps.map((app) => ({ id: app.id, url: `http://127.0.0.1:${app.port}` })),
        affinity: [{ strategy: 'session-cookie', name: 'sticky', begin: 'always', age: '30m' }],
      },
    },
    routes: [{ pool: 'shop' }],
  }
  const nodes = [
    stack.use(await ProxyNode.start(shared, ['--node-id', 'n1'])),
    stack.use(await ProxyNode.start(shared, ['--node-id', 'n2'])),
  ]
  return { apps, nodes }
}

const inFlight = (apps: readonly HoldingApp[]): number => apps.reduce((sum, app) => sum + app.inFlight, 0)

const agrees = (load: Record<string, number>, apps: readonly HoldingApp[]): boolean =>
  apps.every((app) => (load[app.id] ?? 0) === app.inFlight)

/** Requests held open over a node, and how those that are over ended. */
function hold(node: ProxyNode): { readonly over: string[]; readonly all: Promise<unknown> } {
  const over: string[] = []
  const one = () =>
    new Browser().get(node.port, '/hold').then(
      (page) => over.push(`${page.status} ${page.body}`),
      (error: Error) => over.push(error.message),
    )
  return { over, all: Promise.all(Array.from({ length: HELD }, one)) }
}

test('kill -9 of a node: its counts are gone within its lease and a second, and its sessions live on elsewhere', {
  timeout: 60_000,
}, async () => {
  await using stack = new AsyncDisposableStack()
  const { nodes } = await cluster(stack)
  const [doomed, survivor] = nodes as [ProxyNode, ProxyNode]
  const browser = new Browser()
  const home = (await browser.get(doomed.port, '/now')).body
  const lost = hold(doomed)
  await eventually(
    () => survivor.load('shop'),
    (load) => (load.a ?? 0) + (load.b ?? 0) === HELD,
  )

  await doomed.kill()
  const killed = performance.now()
  await eventually(
    () => survivor.load('shop'),
    (load) => (load.a ?? 0) + (load.b ?? 0) === 0,
    LEASE + 1_000,
  )

  expect(performance.now() - killed).toBeLessThan(LEASE + 1_000)
  await lost.all
  expect(lost.over).toEqual(lost.over.map(() => 'socket hang up'))
  expect((await browser.get(survivor.port, '/now')).body).toBe(home)
})

test('kill -9 of a worker: its counts are gone within its lease and a second, and another takes its place', {
  timeout: 60_000,
}, async () => {
  await using stack = new AsyncDisposableStack()
  const { apps, nodes } = await cluster(stack)
  const [node, other] = nodes as [ProxyNode, ProxyNode]
  const lost = hold(node)
  const kept = hold(other)
  await eventually(
    async () => ({ load: await other.load('shop'), over: [...lost.over, ...kept.over] }),
    ({ load }) => agrees(load, apps) && inFlight(apps) === 2 * HELD,
  )
  const pids = await node.workerPids()

  process.kill(pids[0]!, 'SIGKILL')
  const killed = performance.now()
  // The backends see its connections close at once; the table must follow.
  await eventually(
    () => inFlight(apps),
    (count) => count < 2 * HELD,
  )
  await eventually(
    () => other.load('shop'),
    (load) => agrees(load, apps),
    LEASE + 1_000,
  )

  expect(performance.now() - killed).toBeLessThan(LEASE + 1_000)
  await eventually(
    () => node.workerPids(),
    (now) => now.length === 2 && !now.includes(pids[0]!),
  )
  expect((await new Browser().get(node.port, '/now')).status).toBe(200)
  for (const app of apps) app.releaseAll()
  await Promise.all([lost.all, kept.all])
  await eventually(
    () => other.load('shop'),
    (load) => (load.a ?? 0) + (load.b ?? 0) === 0,
  )
})
