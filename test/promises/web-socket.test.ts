import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'

async function echoApp(id: string): Promise<AsyncDisposable & { readonly backend: object }> {
  const server = createServer((_, response) => response.setHeader('Set-Cookie', `app=${id}`).end(id))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(`${id}: ${message}`)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    backend: { id, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('a WebSocket opened on either node lands on the backend of its session and counts there while it is open', async () => {
  await using stack = new AsyncDisposableStack()
  const apps = [stack.use(await echoApp('a')), stack.use(await echoApp('b')), stack.use(await echoApp('c'))]
  const shared = {
    node: { workers: 1 },
    store: { url: redisUrl(), prefix: freshPrefix() },
    pools: {
      shop: {
        backends: apps.map((app) => app.backend),
        affinity: [{ strategy: 'session-cookie', name: 'sticky', age: '30m' }],
      },
    },
    routes: [{ pool: 'shop' }],
  }
  const first = stack.use(await ProxyNode.start(shared, ['--node-id', 'n1']))
  const second = stack.use(await ProxyNode.start(shared, ['--node-id', 'n2']))
  const browser = new Browser()
  const home = (await browser.get(first.port)).body
  const cookie = Array.from(browser.cookies, ([name, value]) => `${name}=${value}`).join('; ')

  const sockets = await Promise.all(
    [first, second, first, second].map(async ({ port }) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers: { Cookie: cookie } })
      await once(socket, 'open')
      return socket
    }),
  )
  const echoes = await Promise.all(
    sockets.map(async (socket, n) => {
      socket.send(`hello ${n}`)
      const [message] = (await once(socket, 'message')) as [Buffer]
      return message.toString()
    }),
  )

  expect(echoes).toEqual([0, 1, 2, 3].map((n) => `${home}: hello ${n}`))
  await eventually(
    () => second.load('shop'),
    (load) => load[home] === 4,
  )
  for (const socket of sockets) socket.close()
  await eventually(
    () => second.load('shop'),
    (load) => (load[home] ?? 0) === 0,
  )
})
