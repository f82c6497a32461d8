import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { loginApps } from '../support/login-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { startRedis } from '../support/redis.ts'

/** Every answer takes this much of it, in milliseconds: one is in time, two are not. */
const budget = 1000
const answer = 700

const affinities = {
  cookie: [{ strategy: 'session-cookie', begin: 'always', age: '30m' }],
  keys: [{ strategy: 'persistence-key', from: [{ header: 'X-Seen' }, { cookie: 'app.sid' }], age: '30m' }],
  found: [{ strategy: 'session-cookie', begin: 'on-cookie', recoverBy: ['app.sid'], age: '30m' }],
} as const

test('a request that asks a slow store for one thing after the other waits no longer than one budget in all', {
  timeout: 30_000,
}, async () => {
  await using stack = new AsyncDisposableStack()
  const apps = stack.use(await loginApps(['a', 'b']))
  const redis = stack.use(await startRedis())
  const way = stack.use(await FaultProxy.to({ port: redis.port }))
  const pools = Object.entries(affinities).map(([pool, affinity]) => [pool, { backends: apps.backends, affinity }])
  const node = stack.use(
    await ProxyNode.start({
      node: { workers: 1 },
      store: { url: `redis://127.0.0.1:${way.port}`, budget: `${budget}ms` },
      routes: Object.keys(affinities).map((pool) => ({ host: `${pool}.example`, pool })),
      pools: Object.fromEntries(pools),
    }),
  )
  const browsers = Object.keys(affinities).map((pool) => new Browser(`${pool}.example`))
  for (const browser of browsers) await browser.post(node.port, '/login/nobody')
  for (const browser of browsers) browser.cookies.clear()
  for (const browser of browsers) browser.cookies.set('app.sid', 'a value that nobody gave')

  way.slow(answer / 2)
  const took = await Promise.all(
    browsers.map(async (browser) => {
      const began = performance.now()
      await browser.post(node.port, '/login/ada')
      return performance.now() - began
    }),
  )
  const visits = await Promise.all(browsers.map((browser) => browser.get(node.port, '/visit')))

  // Two answers take longer than that, and up to four were asked for.
  for (const time of took) expect(time).toBeLessThan(2 * answer)
  expect(visits.map(({ body }) => JSON.parse(body))).toEqual(
    browsers.map(() => expect.objectContaining({ user: 'ada' })),
  )
  // Each answer came in time, so what was asked for is done, if later.
  way.slow(0)
  await eventually(
    async () => (await Promise.all(Object.keys(affinities).map((pool) => node.sessionCount(pool)))).join(),
    (counts) => counts === '2,2,2',
  )
})
