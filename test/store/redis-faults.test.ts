import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore, type Store, StoreUnavailable } from '../../packages/store/src/index.ts'
import { RedisConnection } from '../../packages/store/src/redis-connection.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { freshPrefix, startRedis } from '../support/redis.ts'
import { bound, eventually, freshKey } from './store-contract.ts'

const terms = { age: 60_000, source: 'session-cookie' }
const commandTimeout = 300

/** Resolves with how long it took until the promise was rejected with `StoreUnavailable`. */
async function refusedAfter(asked: () => unknown): Promise<number> {
  const began = performance.now()
  await expect(Promise.resolve().then(asked)).rejects.toBeInstanceOf(StoreUnavailable)
  return performance.now() - began
}

/** Rejected before any timer is due, be the machine ever so busy. */
async function refusedAtOnce(asked: () => unknown): Promise<void> {
  const later = delay(commandTimeout / 3, 'nothing yet')
  await expect(Promise.race([Promise.resolve().then(asked), later])).rejects.toBeInstanceOf(StoreUnavailable)
}

describe('a Redis that fails', () => {
  let redis: LocalRedis
  let proxy: FaultProxy
  let prefix: string

  beforeAll(async () => {
    redis = await startRedis()
    proxy = await FaultProxy.to({ port: redis.port })
    prefix = freshPrefix()
  })
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  const throughProxy = () => openStore(`redis://127.0.0.1:${proxy.port}`, { prefix, commandTimeout })
  const direct = () => openStore(redis.url, { prefix, commandTimeout })

  test('is waited for when it is absent at start, and nothing hangs meanwhile', async () => {
    const late = await startRedis()
    await late.kill()
    await using store = openStore(late.url, { prefix, commandTimeout })
    await using _membership = await store.cluster.join(announcement)

    expect(store.available).toBe(false)
    await refusedAtOnce(() => store.sessions.find(freshKey('shop')))
    await refusedAtOnce(() => store.sessions.bind(freshKey('shop'), 'a', 0, terms))
    await refusedAtOnce(() => store.sessions.count('shop'))
    await refusedAtOnce(() => store.cluster.secret('s', 'x'))

    const back = new Promise((resolve) => store.onAvailability(resolve))
    await late.start()
    expect(await back).toBe(true)
    await eventually(async () => (await store.cluster.nodes().catch(() => [])).length === 1)
    bound(await store.sessions.bind(freshKey('shop'), 'a', 0, terms))
    await late[Symbol.asyncDispose]()
  })

  test('that is slow is waited for by operators, who make nobody else believe that it is away', async () => {
    await using store = openStore(`redis://127.0.0.1:${proxy.port}`, { prefix, commandTimeout: 2_000, budget: 200 })
    await eventually(() => store.roles!().every(({ available }) => available))
    const key = freshKey('shop')
    bound(await store.sessions.bind(key, 'a', 0, terms))

    proxy.slow(150)
    const { operators, sessions } = store
    const [shown, counted, totals, moved] = await Promise.all([
      operators.show(key),
      operators.count('shop'),
      operators.totals('shop'),
      sessions.move(key, 'b'),
    ])
    const late = store.roles!().find(({ role }) => role === 'upkeep')!.late
    proxy.slow(0)
    await eventually(() => store.available)

    expect(shown).toMatchObject({ key })
    expect([...counted.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
    expect([...totals.values()].filter((count) => count > 0)).toEqual([])
    expect(bound(moved).backend).toBe('b')
    expect(late).toBe(0)
    await expect(Promise.all([sessions.find(freshKey('shop')), sessions.count('shop')])).resolves.toHaveLength(2)
  })

  test('that accepts and never answers is noticed in time, and again when it answers', async () => {
    await using store = throughProxy()
    await eventually(() => store.available)
    const key = freshKey('shop')
    const row = await store.sessions.bind(key, 'a', 0, terms)
    const changes: boolean[] = []
    store.onAvailability((available) => changes.push(available))

    proxy.blackhole()
    const waited = await refusedAfter(() => store.sessions.find(freshKey('shop')))
    expect(waited).toBeGreaterThan(commandTimeout - 50)
    expect(waited).toBeLessThan(commandTimeout + 300)
    await refusedAtOnce(() => store.sessions.find(freshKey('shop')))
    expect(await store.sessions.find(key)).toEqual(row)

    proxy.flow()
    await eventually(() => store.available)
    expect(changes).toEqual([false, true])
    expect(await store.sessions.find(freshKey('shop'))).toMatchObject({ state: 'absent' })
  })

  test('that is always late is waited for once, and not again until it answers a probe in time', async () => {
    const budget = 100
    await using store = openStore(`redis://127.0.0.1:${proxy.port}`, { prefix, commandTimeout: 1000, budget })
    await eventually(() => store.available)
    const changes: boolean[] = []
    store.onAvailability((available) => changes.push(available))

    proxy.slow(150)
    const key = freshKey('shop')
    const began = performance.now()
    await refusedAfter(() => store.sessions.find(key))
    await refusedAfter(() => store.load.reserve('shop', [{ id: 'a', weight: 1 }]))
    await refusedAfter(() => store.sessions.bind(key, 'a', 0, terms))
    expect(performance.now() - began).toBeLessThan(2 * budget)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(changes).toEqual([false])
    expect(store.roles?.().map(({ role, available }) => [role, available])).toEqual([
      ['requests', false],
      ['upkeep', true],
      ['changes', true],
    ])

    proxy.slow(0)
    await eventually(() => store.available)
    expect(store.roles?.()[0]).toMatchObject({ role: 'requests', available: true, late: 1 })
  })

  test('is given no more than 1,000 commands to answer', async () => {
    await using connection = new RedisConnection(`redis://127.0.0.1:${proxy.port}`, { commandTimeout: 10_000 })
    await eventually(() => connection.available)

    proxy.holdReplies()
    const asked = Array.from({ length: 1001 }, () => connection.call('get', ['x']).catch((failure: Error) => failure))
    expect(await Promise.race(asked)).toMatchObject({ message: '1000 commands wait for Redis already' })
    proxy.flow()

    expect((await Promise.all(asked)).filter((reply) => reply !== null)).toHaveLength(1)
  })

  test('that is wedged unasked is found out by the probe', async () => {
    await using store = throughProxy()
    await eventually(() => store.available)

    proxy.blackhole()
    const began = performance.now()
    await eventually(() => !store.available)
    expect(performance.now() - began).toBeLessThan(2500)

    proxy.flow()
    await eventually(() => store.available)
  })

  test('whose address leads nowhere any more is connected to afresh', async () => {
    await using store = throughProxy()
    await eventually(() => store.available)

    proxy.blackhole()
    await eventually(() => !store.available)
    const wedged = proxy.connections
    await eventually(() => proxy.connections > wedged)
    proxy.cut()
    proxy.flow()

    await eventually(() => store.available)
  })

  test('is frozen and thawed as a process, and known sessions never notice', async () => {
    await using store = direct()
    await eventually(() => store.available)
    const key = freshKey('shop')
    const row = await store.sessions.bind(key, 'a', 0, terms)

    redis.pause()
    await eventually(() => !store.available)
    expect(store.sessions.find(key)).toEqual(row)
    redis.resume()

    await eventually(() => store.available)
    await eventually(async () => (await store.sessions.find(freshKey('shop'))).state === 'absent')
  })

  test('cuts its connections and gets new ones; what was under way is refused, what follows is answered', async () => {
    await using store = throughProxy()
    await eventually(() => store.available)

    const asked = store.sessions.bind(freshKey('shop'), 'a', 0, terms).catch((failure: unknown) => failure)
    await new Promise(setImmediate)
    proxy.cut()

    const answer = await asked
    expect(answer instanceof StoreUnavailable || (answer as { state: string }).state === 'bound').toBe(true)
    await eventually(() => store.available)
    bound(await store.sessions.bind(freshKey('shop'), 'a', 0, terms))
  })

  test('whose reply to a bind is lost has bound, and the next bind is told so', async () => {
    await using store = throughProxy()
    await eventually(() => store.available)
    const key = freshKey('shop')
    bound(await store.sessions.bind(freshKey('shop'), 'a', 0, terms))

    proxy.holdReplies()
    await refusedAfter(() => store.sessions.bind(key, 'a', 0, terms))
    proxy.cut()
    proxy.flow()
    await eventually(() => store.available)

    expect(bound(await store.sessions.bind(key, 'b', 0, terms)).backend).toBe('a')
  })

  test('that forgot everything has no epoch, and another one as soon as a session is bound', async () => {
    await using store = direct()
    await eventually(() => store.available)
    const { epoch } = bound(await store.sessions.bind(freshKey('flushed'), 'a', 0, terms))

    await redis.kill()
    await redis.start()
    await eventually(() => !store.available)
    await eventually(() => store.available)

    expect(await store.sessions.find(freshKey('flushed'))).toEqual({ state: 'absent', version: 0, epoch: 0 })
    const next = bound(await store.sessions.bind(freshKey('flushed'), 'a', 0, terms))
    expect(next.epoch).not.toBe(epoch)
    expect((await store.sessions.find(freshKey('flushed'))).epoch).toBe(next.epoch)
  })

  test('that is closed while it is wedged closes at once', async () => {
    const store = throughProxy()
    await eventually(() => store.available)
    const membership = await store.cluster.join(announcement)
    store.load.begin('shop', 'a')
    proxy.blackhole()
    const asked = refusedAfter(() => store.sessions.find(freshKey('shop')))

    const began = performance.now()
    await membership[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    expect(performance.now() - began).toBeLessThan(2 * commandTimeout + 300)
    await asked
    proxy.cut()
    proxy.flow()
  })
})

test('a server that is no Redis makes a store that is not available, and closes', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const store: Store = openStore(`redis://127.0.0.1:${port}`)

  await refusedAtOnce(() => store.sessions.find(freshKey('shop')))

  await store[Symbol.asyncDispose]()
  server.close()
})

const announcement = {
  id: 'n1',
  instance: 'i',
  host: 'host',
  pid: 1,
  version: '0',
  workers: 1,
  started: 1,
  configHash: 'c',
  opens: [],
  addresses: [],
}
