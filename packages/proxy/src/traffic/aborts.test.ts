import { once } from 'node:events'

import { describe, expect, test, vi } from 'vitest'
import { newcomer } from '../affinity/sessions.test-support.ts'
import type { Session } from '../affinity/strategy.ts'
import {
  type RawBackend,
  RawClient,
  rawBackend,
  scriptedBackend,
  type TestTraffic,
  testTraffic,
} from './traffic.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

/** Nothing is left: no connection, no count, no verdict on the backend. */
async function expectNothingLeft(proxy: TestTraffic, backend: RawBackend): Promise<void> {
  await vi.waitFor(
    () => {
      expect(proxy.traffic.connections()).toBe(0)
      expect(proxy.store.load.local('p', 'b0')).toBe(0)
      expect(backend.sockets.filter((socket) => !socket.destroyed)).toHaveLength(0)
    },
    { timeout: 2_000, interval: 10 },
  )
  expect(proxy.backends[0]!.health).toMatchObject({ ejected: false, canServe: true })
}

test('five hundred uploads cut half-way leave nothing behind', async () => {
  await using backend = await rawBackend((socket) => socket.resume())
  await using proxy = await testTraffic({ backends: [backend.port] })
  const clients = Array.from({ length: 500 }, () => new RawClient(proxy.port))
  const half = 'x'.repeat(50_000)
  for (const client of clients) client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${half}`)
  await vi.waitUntil(() => proxy.store.load.local('p', 'b0') === 500, { timeout: 10_000, interval: 10 })

  for (const [index, client] of clients.entries()) {
    if (index % 2 === 0) client.socket.destroy()
    else client.socket.resetAndDestroy()
  }

  await expectNothingLeft(proxy, backend)
  expect(proxy.records).toHaveLength(500)
  expect(new Set(proxy.records.map(({ refusal }) => refusal))).toEqual(new Set(['client-gone']))
})

describe('a client that goes', () => {
  const silent = () => rawBackend((socket) => socket.resume())

  test('before its request is whole was never here', async () => {
    await using backend = await silent()
    await using proxy = await testTraffic({ backends: [backend.port] })
    const client = new RawClient(proxy.port)
    await once(client.socket, 'connect')
    client.send('GET / HTTP/1.1\r\nHo')
    await vi.waitUntil(() => proxy.traffic.connections() === 1)

    client.socket.resetAndDestroy()

    await expectNothingLeft(proxy, backend)
    expect(proxy.records).toHaveLength(0)
  })

  test.each([
    ['while its backend is silent', silent, GET],
    [
      'within an upload',
      silent,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\nhal',
    ],
    ['within a response', () => scriptedBackend('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello'), GET],
  ])('%s is accounted for once', async (_, open, request) => {
    await using backend = await open()
    await using proxy = await testTraffic({ backends: [backend.port] })
    const client = new RawClient(proxy.port)
    client.send(request)
    await vi.waitUntil(() => (backend.sockets[0]?.bytesRead ?? 0) > 0)

    client.socket.resetAndDestroy()

    await expectNothingLeft(proxy, backend)
    expect(proxy.records).toMatchObject([{ refusal: 'client-gone' }])
  })

  test('while its session is bound is accounted for once', async () => {
    const bound = Promise.withResolvers<boolean>()
    const session: Session = { ...newcomer, served: () => bound.promise }
    await using backend = await scriptedBackend(HELLO)
    await using proxy = await testTraffic({ backends: [backend.port], session })
    const client = new RawClient(proxy.port)
    client.send(GET)
    await vi.waitUntil(() => (backend.sockets[0]?.bytesWritten ?? 0) > 0)

    client.socket.resetAndDestroy()
    await vi.waitUntil(() => proxy.records.length === 1)
    bound.resolve(true)

    await expectNothingLeft(proxy, backend)
    expect(proxy.records).toMatchObject([{ refusal: 'client-gone', status: 0 }])
  })

  test('while its backend is connected to is no failure of the backend', async () => {
    await using backend = await silent()
    await using proxy = await testTraffic({ backends: [backend.port] })
    for (let n = 0; n < 5; n++) {
      const client = new RawClient(proxy.port)
      const record = proxy.nextRecord()
      client.send(GET)
      await vi.waitUntil(() => proxy.store.load.local('p', 'b0') === 1, { interval: 1 })
      client.socket.resetAndDestroy()
      await record
    }

    await expectNothingLeft(proxy, backend)
  })

  test('from a tunnel takes it down on both sides', async () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    await using backend = await rawBackend((socket) => {
      socket.once('data', () => socket.write(switching))
      socket.on('end', () => socket.end())
    })
    await using proxy = await testTraffic({ backends: [backend.port] })
    const client = new RawClient(proxy.port)
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    await client.until((text) => text.startsWith('HTTP/1.1 101'))

    client.socket.resetAndDestroy()

    await expectNothingLeft(proxy, backend)
    expect(proxy.records).toMatchObject([{ tunnel: true, refusal: undefined }])
  })
})

test('a backend that ends a tunnel first gives its client the last bytes and the end', async () => {
  await using backend = await rawBackend((socket) =>
    socket.once('data', () =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbye'),
    ),
  )
  await using proxy = await testTraffic({ backends: [backend.port] })
  await using client = new RawClient(proxy.port)

  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')

  expect((await client.toEnd()).endsWith('bye')).toBe(true)
  expect(client.reset).toBe(false)
  await expectNothingLeft(proxy, backend)
})
