import { setTimeout as delay } from 'node:timers/promises'
import { MemoryStore } from '../../packages/store/src/memory-store.ts'
import { NearCache } from '../../packages/store/src/near-cache.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { eventually, type StoreUnderTest, storeContract } from './store-contract.ts'

storeContract('MemoryStore', { concurrent: false }, async () => {
  let now = Date.now()
  const store = new MemoryStore({ now: () => now })
  const pass = async (time: number) => {
    now += time
  }
  return { store, other: store, pass, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
})

for (const shards of [1, 4]) {
  storeContract(`RedisStore with ${shards} shards`, { concurrent: true }, async () => {
    const prefix = freshPrefix()
    return overRedis([
      new RedisStore(redisUrl(), { prefix, shards }),
      new RedisStore(redisUrl(), { prefix, shards: 2 }),
    ])
  })
}

storeContract('NearCache over RedisStore', { concurrent: true }, async () => {
  const prefix = freshPrefix()
  const near = () => {
    const store = new RedisStore(redisUrl(), { prefix })
    return new NearCache(store, store.changes)
  }
  return overRedis([near(), near()])
})

/** Redis' own clock has to pass. The first store uses a pool first, so its number of shards is the one in force. */
async function overRedis([store, other]: [RedisStore | NearCache, RedisStore | NearCache]): Promise<StoreUnderTest> {
  await eventually(() => store.available && other.available)
  return {
    store,
    other,
    pass: (time) => delay(time),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([store[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
    },
  }
}
