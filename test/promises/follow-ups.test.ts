import { expect, test } from 'vitest'

import { Browser } from '../support/browser.ts'
import { loginApps } from '../support/login-app.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'

const FOLLOW_UPS = 5_000
const UNDERWAY = 24

test('the very next request on the other node finds the backend, while new sessions come as fast as they can', {
  timeout: 120_000,
}, async () => {
  await using apps = await loginApps(['a', 'b', 'c'])
  const shared = {
    node: { workers: 1 },
    store: { url: redisUrl(), prefix: freshPrefix() },
    pools: {
      shop: { backends: apps.backends, affinity: [{ strategy: 'session-cookie', name: 'sticky', age: '30m' }] },
    },
    routes: [{ pool: 'shop' }],
  }
  await using first = await ProxyNode.start(shared, ['--node-id', 'n1'])
  await using second = await ProxyNode.start(shared, ['--node-id', 'n2'])
  const ports = [first.port, second.port]
  let left = FOLLOW_UPS
  let wrong = 0
  const beginner = async () => {
    while (left > 0) {
      const turn = left--
      const browser = new Browser()
      const login = await browser.post(ports[turn % 2]!, '/login/somebody')
      const { backend } = JSON.parse(login.body) as { backend: string }
      const visit = await browser.get(ports[(turn + 1) % 2]!, '/visit')
      const found = JSON.parse(visit.body) as { backend: string; user: string | null }
      if (found.backend !== backend || found.user !== 'somebody') wrong++
    }
  }

  await Promise.all(Array.from({ length: UNDERWAY }, beginner))

  expect(wrong).toBe(0)
  expect(await first.sessionCount('shop')).toBe(FOLLOW_UPS)
})
