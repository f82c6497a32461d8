import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { HoldingApp } from '../support/holding-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'

const weights = [1, 2, 3]
const NEWCOMERS = 60

test('each newcomer goes to the backend that carries least for its weight in the whole cluster', {
  timeout: 60_000,
}, async () => {
  await using stack = new AsyncDisposableStack()
  const apps = await Promise.all(weights.map((_, n) => HoldingApp.start(`b${n}`)))
  for (const app of apps) stack.use(app)
  const shared = {
    node: { workers: 1 },
    store: { url: redisUrl(), prefix: freshPrefix() },
    pools: {
      shop: {
        backends: apps.map((app, n) => ({ id: app.id, url: `http://127.0.0.1:${app.port}`, weight: weights[n] })),
        balance: 'leastLoad',
        affinity: [{ strategy: 'session-cookie', name: 'sticky', begin: 'always', age: '30m' }],
      },
    },
    routes: [{ pool: 'shop' }],
  }
  const nodes = [
    stack.use(await ProxyNode.start(shared, ['--node-id', 'n1'])),
    stack.use(await ProxyNode.start(shared, ['--node-id', 'n2'])),
  ]
  const loads = () => apps.map((app, n) => app.inFlight / weights[n]!)
  const underway: Promise<unknown>[] = []

  for (let turn = 0; turn < NEWCOMERS; turn++) {
    // Every third turn somebody leaves, so that the backends are held unevenly.
    if (turn % 3 === 2) await leave(apps[turn % apps.length]!)
    await atRest(nodes, apps)
    const before = loads()
    const counts = apps.map((app) => app.inFlight)
    const arrival = Promise.race(apps.map((app) => app.changed()))
    underway.push(new Browser().get(nodes[turn % nodes.length]!.port, '/hold'))
    await arrival
    const chosen = apps.findIndex((app, n) => app.inFlight > counts[n]!)
    expect(before[chosen], `turn ${turn}: ${before} and ${chosen} was chosen`).toBe(Math.min(...before))
  }

  for (const app of apps) app.releaseAll()
  await Promise.all(underway)
  await atRest(nodes, apps)
  expect(apps.map((app) => app.inFlight)).toEqual([0, 0, 0])
})

async function leave(app: HoldingApp): Promise<void> {
  if (app.inFlight === 0) return
  const left = app.changed()
  app.release()
  await left
}

/** Every node sees what the backends themselves count. */
async function atRest(nodes: readonly ProxyNode[], apps: readonly HoldingApp[]): Promise<void> {
  for (const node of nodes) {
    await eventually(
      () => node.load('shop'),
      (load) => apps.every((app) => (load[app.id] ?? 0) === app.inFlight),
    )
  }
}
