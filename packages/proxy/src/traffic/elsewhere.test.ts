import { once } from 'node:events'
import { createServer } from 'node:net'

import { describe, expect, test } from 'vitest'

import { livingOn } from '../affinity/sessions.test-support.ts'
import type { Session } from '../affinity/strategy.ts'
import type { PoolConfig } from '../config/config.ts'
import { exchange, rawBackend, type TestTraffic, testTraffic } from './traffic.test-support.ts'

const GET =
  'GET / HTTP/1.1\r\nHost: a\r\nX-Sticky-Moved: from=me\r\nX_STICKY_MOVED: from=me\r\nConnection: close\r\n\r\n'
const POST = GET.replace('GET', 'POST').replace('Host', 'Content-Length: 4\r\nHost').concat('body')
const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'

describe('a session whose home is dead', () => {
  test('is bound to the backend that answers instead, which is told', async () => {
    await using place = await behindDeadHome({ onUnavailable: 'rebind', movedHeader: 'X-Sticky-Moved' })

    expect(await exchange(place.proxy.port, GET)).toContain('200 OK')
    expect(place.lives).toEqual(['b1'])
    expect(place.moved()).toEqual(['X-Sticky-Moved: from=b0; reason=failed'])
    expect(place.proxy.records[0]).toMatchObject({ backend: 'b1', persistence: 'VN' })
  })

  test('lives on at home while another one stands in', async () => {
    await using place = await behindDeadHome({ onUnavailable: 'temporary', movedHeader: 'X-Sticky-Moved' })

    expect(await exchange(place.proxy.port, GET)).toContain('200 OK')
    expect(place.lives).toEqual(['b0'])
    expect(place.moved()).toEqual(['X-Sticky-Moved: from=b0; reason=failed'])
    expect(place.proxy.records[0]).toMatchObject({ backend: 'b1', persistence: 'DN' })
  })

  test('is sent elsewhere with its body, since nobody saw it', async () => {
    await using place = await behindDeadHome({ onUnavailable: 'temporary' })

    expect(await exchange(place.proxy.port, POST)).toContain('200 OK')
    expect(place.seen()).toMatch(/\r\n\r\nbody$/)
  })

  test('is refused where nobody else may serve it', async () => {
    await using place = await behindDeadHome({ onUnavailable: 'fail' })

    expect(await exchange(place.proxy.port, GET)).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: 2\r\n/s)
    expect(place.proxy.records[0]).toMatchObject({ refusal: 'home-away', retries: 1 })
    expect(place.lives).toEqual([])
  })

  test('tells nobody without a movedHeader, and believes clients as little as ever where there is one', async () => {
    await using silent = await behindDeadHome({ onUnavailable: 'rebind' })
    await exchange(silent.proxy.port, GET)
    expect(silent.moved()).toEqual(['X-Sticky-Moved: from=me', 'X_STICKY_MOVED: from=me'])

    await using home = await behindDeadHome({ movedHeader: 'X-Sticky-Moved' }, 'b1')
    await exchange(home.proxy.port, GET)
    expect(home.moved()).toEqual([])
  })
})

describe('the budget of retries', () => {
  test('beyond it a failure is answered, and said to have been', async () => {
    await using closing = await rawBackend((socket) => socket.on('data', () => socket.resetAndDestroy()))
    await using place = await behindDeadHome({ retry: nothing }, 'b0', closing.port)

    expect(await exchange(place.proxy.port, GET)).toContain('502 Bad Gateway')
    expect(place.proxy.records[0]).toMatchObject({ refusal: 'backend-failed', retries: 0, isRetryDenied: true })
  })

  test('is none of those whose home cannot be reached: all are served elsewhere, however many come at once', async () => {
    await using place = await behindDeadHome({ retry: nothing })

    const answers = await Promise.all(Array.from({ length: 100 }, () => exchange(place.proxy.port, GET)))

    expect(answers.filter((answer) => !answer.includes('200 OK'))).toEqual([])
    expect(place.lives).toHaveLength(100)
    expect(place.proxy.store.load.local('p', 'b0')).toBe(0)
  })

  test('what may not be sent again anyhow is not said to have been denied', async () => {
    await using silent = await rawBackend((socket) => socket.on('data', () => socket.resetAndDestroy()))
    await using proxy = await testTraffic({ backends: [silent.port], pool: { retry: nothing } })

    expect(await exchange(proxy.port, POST)).toContain('502 Bad Gateway')
    expect(proxy.records[0]).toMatchObject({ refusal: 'backend-failed', isRetryDenied: false })
  })

  test('so many other backends are tried', async () => {
    const dead = [await deadPort(), await deadPort(), await deadPort()]
    await using proxy = await testTraffic({
      backends: dead,
      pool: { retry: { attempts: 1, budget: 1, minPerSecond: 9 } },
    })

    expect(await exchange(proxy.port, GET)).toContain('502 Bad Gateway')
    expect(proxy.records[0]).toMatchObject({ retries: 1, backend: 'b1', isRetryDenied: false })
  })
})

/** A budget that lets nothing be sent again. */
const nothing = { attempts: 2, budget: 0, minPerSecond: 0 }

/** A worker in front of a dead backend b0 and a living one, with a session that lives on b0 unless told otherwise. */
async function behindDeadHome(pool: Partial<PoolConfig>, home = 'b0', port?: number) {
  let received = ''
  const lives: string[] = []
  const session: Session = {
    ...livingOn(home),
    served(by) {
      lives.push(by.id)
      return true
    },
  }
  const backend = await rawBackend((socket) =>
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      socket.write(HELLO)
    }),
  )
  const proxy: TestTraffic = await testTraffic({ backends: [port ?? (await deadPort()), backend.port], pool, session })
  return {
    proxy,
    /** Where the session was told to live. */
    lives,
    seen: () => received,
    moved: () => received.split('\r\n').filter((line) => /^x[-_]sticky/i.test(line)),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
    },
  }
}

async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
