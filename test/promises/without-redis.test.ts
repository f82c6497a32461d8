import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { loginApps } from '../support/login-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { startRedis } from '../support/redis.ts'

interface Cluster {
  readonly redis: LocalRedis
  readonly first: ProxyNode
  readonly second: ProxyNode
}

async function cluster(stack: AsyncDisposableStack): Promise<Cluster> {
  const redis = stack.use(await startRedis())
  const apps = stack.use(await loginApps(['a', 'b']))
  const shared = {
    node: { workers: 1 },
    store: { url: redis.url, commandTimeout: '500ms' },
    pools: {
      shop: { backends: apps.backends, affinity: [{ strategy: 'session-cookie', begin: 'on-cookie', age: '30m' }] },
    },
  }
  const first = stack.use(await ProxyNode.start(shared, ['--node-id', 'n1']))
  const second = stack.use(await ProxyNode.start(shared, ['--node-id', 'n2']))
  return { redis, first, second }
}

const readiness = async (node: ProxyNode): Promise<number> => (await fetch(new URL('/readyz', node.admin))).status

test('without Redis a session goes on, on nodes that never saw it too, and newcomers are told to come back', {
  timeout: 60_000,
}, async () => {
  await using stack = new AsyncDisposableStack()
  const { redis, first, second } = await cluster(stack)
  const known = new Browser()
  await known.post(first.port, '/login/ada')

  await redis.kill()
  await eventually(
    () => readiness(second),
    (status) => status === 503,
  )
  const visits = [await known.get(second.port, '/visit'), await known.get(first.port, '/visit')]
  const newcomer = await new Browser().get(second.port, '/visit')

  expect(visits.map((page) => JSON.parse(page.body).user)).toEqual(['ada', 'ada'])
  expect(newcomer.status).toBe(503)
  expect(newcomer.headers['retry-after']).toBe('2')
})

test('a Redis that comes back empty is filled by the cookies that clients bring', { timeout: 60_000 }, async () => {
  await using stack = new AsyncDisposableStack()
  const { redis, first, second } = await cluster(stack)
  const known = new Browser()
  await known.post(first.port, '/login/ada')

  await redis.kill()
  await redis.start()
  for (const node of [first, second])
    await eventually(
      () => readiness(node),
      (status) => status === 200,
    )
  const visit = JSON.parse((await known.get(second.port, '/visit')).body) as { user: string }
  const newcomer = await new Browser().post(first.port, '/login/bo')

  expect(visit.user).toBe('ada')
  expect(newcomer.status).toBe(200)
  await eventually(
    () => second.sessionCount('shop'),
    (count) => count === 2,
  )
})

test('a Redis that accepts and never answers makes nobody wait for long', { timeout: 60_000 }, async () => {
  await using stack = new AsyncDisposableStack()
  const { redis, first, second } = await cluster(stack)
  const known = new Browser()
  await known.post(first.port, '/login/ada')

  redis.pause()
  const begun = performance.now()
  const pages = await Promise.all([known.get(second.port, '/visit'), new Browser().get(first.port, '/visit')])
  const waited = performance.now() - begun
  redis.resume()

  expect(JSON.parse(pages[0].body).user).toBe('ada')
  expect(pages[1].status).toBe(503)
  expect(waited).toBeLessThan(5_000)
  await eventually(
    async () => (await new Browser().post(first.port, '/login/bo')).status,
    (status) => status === 200,
  )
})
