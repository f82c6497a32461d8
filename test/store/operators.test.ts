import { setTimeout as delay } from 'node:timers/promises'

import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { MemoryStore } from '../../packages/store/src/memory-store.ts'
import { NearCache } from '../../packages/store/src/near-cache.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import { freshPrefix, redisUrl, startRedis } from '../support/redis.ts'
import { operatorsContract } from './operators-contract.ts'
import { eventually, type StoreUnderTest } from './store-contract.ts'

operatorsContract('MemoryStore', async () => {
  let now = Date.now()
  const store = new MemoryStore({ now: () => now })
  const pass = async (time: number) => {
    now += time
  }
  return { store, other: store, pass, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
})

operatorsContract('RedisStore', async () => {
  const prefix = freshPrefix()
  return overRedis([4, 1], prefix, (store) => store)
})

operatorsContract('NearCache over RedisStore', async () => {
  const prefix = freshPrefix()
  return overRedis([1, 1], prefix, (store) => new NearCache(store, store.changes))
})

test('a store that forgot is told the orders again that a process knows, and never older ones', async () => {
  await using redis = await startRedis()
  await using store = new RedisStore(redis.url)
  const client = new Redis(redis.url)
  await eventually(() => store.roles().every(({ available }) => available))
  const drained = await store.cluster.order('shop', 'a', { state: 'drain', weight: 3 })
  const known = await store.cluster.orders()

  await client.flushall()
  client.disconnect()

  expect(await store.cluster.orders()).toEqual([])
  expect(await store.cluster.orders(known)).toEqual([drained])
  const ready = await store.cluster.order('shop', 'a', { state: 'ready' })
  expect(await store.cluster.orders(known)).toEqual([ready])
})

test('a thousand orders are held, and of more the latest', async () => {
  await using store = new RedisStore(redisUrl(), { prefix: freshPrefix() })
  await eventually(() => store.roles().every(({ available }) => available))
  for (let n = 0; n < 1100; n += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => store.cluster.order('shop', `b${n + i}`, { state: 'drain' })),
    )
  }

  const held = new Set((await store.cluster.orders()).map(({ backend }) => backend))

  expect(held.size).toBe(1000)
  expect([held.has('b99'), held.has('b100'), held.has('b1099')]).toEqual([false, true, true])
})

test('a process that hears nothing has not reached a barrier until it distrusts what it holds', async () => {
  const prefix = freshPrefix()
  await using deaf = new RedisStore(redisUrl(), { prefix })
  await eventually(() => deaf.available && deaf.changes.live)

  const reached = deaf.cluster.reached('AAAAAAAAAAAAAAAAAAAAAA').then(() => true)

  expect(await Promise.race([reached, delay(300, false)])).toBe(false)
  await deaf.changes[Symbol.asyncDispose]()
  expect(await reached).toBe(true)
})

/** Whoever has no standing subscription yet would hear nothing. */
async function overRedis(
  shards: readonly [number, number],
  prefix: string,
  seenAs: (store: RedisStore) => RedisStore | NearCache,
): Promise<StoreUnderTest> {
  const stores = shards.map((number) => new RedisStore(redisUrl(), { prefix, shards: number }))
  await eventually(() => stores.every(({ available, changes }) => available && changes.live))
  const [store, other] = stores.map(seenAs)
  return {
    store: store!,
    other: other!,
    pass: (time) => delay(time),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(stores.map((each) => each[Symbol.asyncDispose]()))
    },
  }
}
