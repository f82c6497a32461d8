import { once } from 'node:events'

import { describe, expect, test, vi } from 'vitest'

import { livingOn } from '../affinity/sessions.test-support.ts'
import type { PoolConfig } from '../config/config.ts'
import { exchange, RawClient, rawBackend, testTraffic } from './traffic.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const GET_LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const queue = { max: 2, timeout: 5_000 }

describe('when all backends are full', () => {
  test('a request waits, and is sent when another one ends', async () => {
    await using full = await filled()
    const waiting = exchange(full.proxy.port, GET_LAST)
    await full.waiting(1)

    full.answer()

    await full.requests(2)
    full.answer()
    expect(await waiting).toContain('200 OK')
    expect(full.proxy.records[1]).toMatchObject({ backend: 'b0', queued: expect.any(Number), refusal: undefined })
    expect(full.proxy.records[0]!.queued).toBeUndefined()
    full.expectNothingLeft()
  })

  test('nobody waits where there is no queue', async () => {
    await using full = await filled({ queue: undefined })

    expect(await exchange(full.proxy.port, GET_LAST)).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: 2\r\n/s)
    expect(full.proxy.records[0]).toMatchObject({ refusal: 'all-full', queued: undefined })
  })

  test('a request that finds all places taken is refused at once', async () => {
    await using full = await filled()
    await using _one = full.ask(GET)
    await using _two = full.ask(GET)
    await full.waiting(2)

    expect(await exchange(full.proxy.port, GET_LAST)).toContain('503 Service Unavailable')
    expect(full.proxy.records[0]).toMatchObject({ refusal: 'all-full', queued: undefined })
  })

  test('one that waits too long is refused', async () => {
    await using full = await filled({ queue: { max: 2, timeout: 200 } })

    expect(await exchange(full.proxy.port, GET_LAST)).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: 2\r\n/s)
    const { refusal, queued } = full.proxy.records[0]!
    expect(refusal).toBe('all-full')
    expect(queued).toBeGreaterThanOrEqual(199)
    expect(full.proxy.queue.length).toBe(0)
  })

  test.each([
    ['a request', GET],
    ['an upload, be it half-way', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n${'x'.repeat(50)}`],
    ['a request with another behind it', GET + GET],
  ])('%s whose client leaves gives its place up at once, and its turn', async (_, text) => {
    await using full = await filled()
    const client = full.ask(text)
    await full.waiting(1)

    client.socket.destroy()

    await full.waiting(0)
    expect(full.proxy.records[0]).toMatchObject({ refusal: 'client-gone', backend: undefined })
    full.answer()
    await vi.waitUntil(() => full.proxy.store.load.local('p', 'b0') === 0)
    full.expectNothingLeft()
  })

  test('an upload that goes on coming while it waits gives its place up, too, when its client leaves', async () => {
    await using full = await filled()
    const client = full.ask(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(50)}`)
    await full.waiting(1)

    for (let sent = 0; sent < 30_000; sent += 10_000) {
      client.send('y'.repeat(10_000))
      await new Promise(setImmediate)
    }
    client.socket.end()

    await full.waiting(0)
    expect(full.proxy.records[0]).toMatchObject({ refusal: 'client-gone', backend: undefined })
  })

  test('an upload that is larger than what is read ahead arrives whole', async () => {
    await using full = await filled()
    const client = full.ask(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n`)
    await full.waiting(1)
    client.send('~'.repeat(1_000_000))
    await vi.waitUntil(() => client.socket.bytesWritten > 1_000_000)

    full.answer()

    await vi.waitUntil(() => full.sent() === 1_000_000)
    full.answer()
    await client.until((text) => text.endsWith('hello'))
    expect(full.proxy.records.at(-1)).toMatchObject({ bytesReceived: 1_000_000, status: 200 })
  })

  test('who comes later does not overtake', async () => {
    await using full = await filled()
    const first = exchange(full.proxy.port, GET_LAST.replace('GET /', 'GET /first'))
    await full.waiting(1)

    full.answer()
    const second = exchange(full.proxy.port, GET_LAST.replace('GET /', 'GET /second'))

    await full.requests(2)
    full.answer()
    await full.requests(3)
    full.answer()
    await Promise.all([first, second])
    expect(full.seen).toEqual(['/', '/first', '/second'])
  })

  test('a session whose home is full waits, too, and goes home', async () => {
    await using full = await filled({}, livingOn('b0'))
    const waiting = exchange(full.proxy.port, GET_LAST)
    await full.waiting(1)

    full.answer()

    await full.requests(2)
    full.answer()
    expect(await waiting).toContain('200 OK')
    full.expectNothingLeft()
  })
})

describe('a session that may go nowhere else', () => {
  test.each([
    ['fail', 'home-away'],
    ['wait', 'home-away'],
  ] as const)('onUnavailable: %s: is refused in the end', async (onUnavailable, refusal) => {
    await using full = await filled({ onUnavailable, queue: { max: 2, timeout: 200 } }, livingOn('b0'))

    expect(await exchange(full.proxy.port, GET_LAST)).toContain('503 Service Unavailable')
    expect(full.proxy.records[0]).toMatchObject({ refusal, queued: expect.any(Number) })
  })

  test('onUnavailable: wait: tries a home that fails again, ever more seldom, and is answered when it is back', async () => {
    let connections = 0
    await using home = await rawBackend((socket) => {
      if (++connections < 3) socket.resetAndDestroy()
      else socket.on('data', () => socket.write(HELLO))
    })
    const pool = { onUnavailable: 'wait', queue } as const
    await using proxy = await testTraffic({ backends: [home.port], pool, session: livingOn('b0') })

    expect(await exchange(proxy.port, GET_LAST)).toContain('200 OK')
    expect(proxy.records[0]).toMatchObject({ retries: 2, backend: 'b0' })
    expect(proxy.records[0]!.queued).toBeGreaterThan(290)
    expect(proxy.queue.length).toBe(0)
  })
})

test('all who wait for a home that cannot be reached are answered once it can, whatever the budget of retries', async () => {
  await using home = await rawBackend((socket) => socket.on('data', () => socket.write(HELLO)))
  home.server.close()
  await once(home.server, 'close')
  const retry = { attempts: 2, budget: 0, minPerSecond: 0 }
  const pool = { onUnavailable: 'wait', queue: { max: 50, timeout: 5_000 }, retry } as const
  await using proxy = await testTraffic({ backends: [home.port], pool, session: livingOn('b0') })

  const answers = Array.from({ length: 50 }, () => exchange(proxy.port, GET_LAST))
  await vi.waitUntil(() => proxy.queue.length === 50)
  home.server.listen(home.port, '127.0.0.1')

  expect((await Promise.all(answers)).filter((answer) => !answer.includes('200 OK'))).toEqual([])
})

test('a client owes no body while its request waits for a home that failed before it asked for one', async () => {
  let connections = 0
  await using home = await rawBackend((socket) => {
    const fails = ++connections < 4
    socket.on('data', (bytes) => {
      if (fails) socket.resetAndDestroy()
      else if (bytes.toString().endsWith('body')) socket.write(HELLO)
    })
  })
  const pool = { onUnavailable: 'wait', queue } as const
  const timeouts = { body: 200 }
  await using proxy = await testTraffic({ backends: [home.port], pool, timeouts, session: livingOn('b0') })
  await using client = new RawClient(proxy.port)
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n')

  await vi.waitUntil(() => connections === 4, { timeout: 3_000 })
  client.send('body')

  expect(await client.until((text) => text.endsWith('hello'))).toContain('200 OK')
  expect(proxy.records[0]).toMatchObject({ retries: 3, refusal: undefined })
})

/** A worker in front of one backend that may have one exchange at a time, and has it. */
async function filled(pool: Partial<PoolConfig> = {}, session?: ReturnType<typeof livingOn>) {
  const seen: string[] = []
  const held: (() => void)[] = []
  let sent = 0
  const backend = await rawBackend((socket) =>
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      sent += text.split('~').length - 1
      if (!/^[A-Z]+ /.test(text)) return
      seen.push(text.split(' ')[1]!)
      held.push(() => socket.write(HELLO))
    }),
  )
  const proxy = await testTraffic({
    backends: [{ port: backend.port, limit: 1 }],
    pool: { queue, ...pool },
    ...(session && { session }),
  })
  const clients: RawClient[] = []
  const ask = (text: string): RawClient => {
    const client = new RawClient(proxy.port)
    clients.push(client)
    client.send(text)
    return client
  }
  ask(GET)
  await vi.waitUntil(() => seen.length === 1)
  return {
    proxy,
    seen,
    /** Tildes that the backend was sent. */
    sent: () => sent,
    ask,
    /** Answers the oldest request. */
    answer: () => held.shift()!(),
    requests: (count: number) => vi.waitUntil(() => seen.length === count),
    waiting: (count: number) => vi.waitUntil(() => proxy.queue.length === count, { interval: 5 }),
    expectNothingLeft() {
      expect(proxy.store.load.local('p', 'b0')).toBe(0)
      expect(proxy.queue.length).toBe(0)
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.socket.destroy()
      await proxy[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
    },
  }
}
