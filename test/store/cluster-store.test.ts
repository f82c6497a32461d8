import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, beforeAll } from 'vitest'
import { NearCache } from '../../packages/store/src/near-cache.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import { freshPrefix } from '../support/redis.ts'
import { type RedisClusterNodes, startRedisCluster } from '../support/redis-cluster-nodes.ts'
import { eventually, type StoreUnderTest, storeContract } from './store-contract.ts'

let cluster: RedisClusterNodes
beforeAll(async () => {
  cluster = await startRedisCluster()
})
afterAll(() => cluster?.[Symbol.asyncDispose]())

storeContract('RedisStore over a cluster of three masters', () => {
  const prefix = freshPrefix()
  return overCluster([new RedisStore(cluster.url, { prefix }), new RedisStore(cluster.url, { prefix, shards: 2 })])
})

storeContract('NearCache over a cluster of three masters', () => {
  const prefix = freshPrefix()
  const near = () => {
    const store = new RedisStore(cluster.url, { prefix })
    return new NearCache(store, store.changes)
  }
  return overCluster([near(), near()])
})

async function overCluster([store, other]: [RedisStore | NearCache, RedisStore | NearCache]): Promise<StoreUnderTest> {
  await Promise.all([store, other].map(whole))
  return {
    store,
    other,
    pass: (time) => delay(time),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([store[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
    },
  }
}

/** Resolves when every master is connected to, by every role. */
function whole(store: RedisStore | NearCache): Promise<void> {
  return eventually(() => store.roles().every(({ available, reason }) => available && reason === undefined))
}
