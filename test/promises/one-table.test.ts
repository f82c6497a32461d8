import { Redis } from 'ioredis'
import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { loginApps } from '../support/login-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl, startRedis } from '../support/redis.ts'

const CLIENTS = 200
const REQUESTS = 20_000
const UNDERWAY = 32

const affinity = [{ strategy: 'session-cookie', name: 'sticky', begin: 'on-cookie', age: '30m' }]

function config(backends: readonly object[], store: object, chain: readonly object[]): object {
  return {
    node: { workers: 1 },
    store,
    pools: { shop: { backends, affinity: chain } },
    routes: [{ path: '/*', pool: 'shop' }],
  }
}

const anyOf = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!

/** Logs every client in, then lets them visit over any node; answers how many visits found nobody logged in. */
async function lostLogins(ports: readonly number[], requests: number): Promise<number> {
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, n) => {
      const browser = new Browser()
      const page = await browser.post(anyOf(ports), `/login/user${n}`)
      expect(page.status).toBe(200)
      return { browser, user: `user${n}`, visits: 0 }
    }),
  )
  let lost = 0
  let left = requests
  const free = [...clients]
  const visitor = async () => {
    while (left-- > 0) {
      const client = free.splice(Math.floor(Math.random() * free.length), 1)[0]!
      const page = await client.browser.get(anyOf(ports), '/visit')
      client.visits++
      const { user, visits } = JSON.parse(page.body) as { user: string | null; visits: number }
      if (user !== client.user || visits !== client.visits) lost++
      free.push(client)
    }
  }
  await Promise.all(Array.from({ length: UNDERWAY }, visitor))
  return lost
}

test('no login is lost over two nodes, whichever node each request reaches', { timeout: 120_000 }, async () => {
  await using redis = await startRedis()
  await using apps = await loginApps(['a', 'b', 'c'])
  const shared = config(apps.backends, { url: redis.url }, affinity)
  await using first = await ProxyNode.start(shared, ['--node-id', 'n1'])
  await using second = await ProxyNode.start(shared, ['--node-id', 'n2'])

  expect(await lostLogins([first.port, second.port], REQUESTS)).toBe(0)

  expect(await first.sessionCount('shop')).toBe(CLIENTS)
  expect(await second.sessionCount('shop')).toBe(CLIENTS)
  expect(await rowsWritten(redis.url)).toBeGreaterThanOrEqual(CLIENTS)
})

test('without affinity most logins are lost', { timeout: 60_000 }, async () => {
  await using apps = await loginApps(['a', 'b', 'c'])
  const shared = config(apps.backends, { url: redisUrl(), prefix: freshPrefix() }, [])
  await using first = await ProxyNode.start(shared, ['--node-id', 'n1'])
  await using second = await ProxyNode.start(shared, ['--node-id', 'n2'])

  expect(await lostLogins([first.port, second.port], 1_000)).toBeGreaterThan(400)
})

/** SET is called once for each row written, by scripts too. */
async function rowsWritten(url: string): Promise<number> {
  const redis = new Redis(url)
  const stats = await redis.info('commandstats')
  redis.disconnect()
  return Number(/cmdstat_set:calls=(\d+)/.exec(stats)?.[1] ?? 0)
}
