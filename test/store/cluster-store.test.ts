import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Terms } from '../../packages/store/src/index.ts'
import { NearCache } from '../../packages/store/src/near-cache.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import { freshPrefix } from '../support/redis.ts'
import { type RedisClusterNodes, startRedisCluster } from '../support/redis-cluster-nodes.ts'
import { operatorsContract } from './operators-contract.ts'
import { bound, eventually, freshKey, type StoreUnderTest, storeContract } from './store-contract.ts'

const terms: Terms = { age: 1_800_000, source: 'session-cookie' }

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

operatorsContract('NearCache over a cluster of three masters, for operators', () => {
  const prefix = freshPrefix()
  const near = () => {
    const store = new RedisStore(cluster.url, { prefix })
    return new NearCache(store, store.changes)
  }
  return overCluster([near(), near()])
})

test('a user of a Redis Cluster needs these rights and no others', async () => {
  const rights = '~acl:* &acl:* +@read +@write +@scripting +@pubsub +time +info +cluster|slots +asking'
  for (const node of cluster.masters)
    await cluster.ask(node, 'acl', 'setuser', 'sticky', 'on', '>secret', ...rights.split(' '))
  const store = new RedisStore(cluster.url.replace('//', '//sticky:secret@'), { prefix: 'acl' })
  await using near = new NearCache(store, store.changes)
  await whole(near)

  const keys = Array.from({ length: 30 }, () => freshKey('shop'))
  for (const key of keys) bound(await near.sessions.bind(key, 'a', 0, terms))
  await eventually(() => keys.every((key) => !(near.sessions.find(key) instanceof Promise)))
  expect(await near.sessions.count('shop')).toEqual(new Map([['a', 30]]))
  expect(await near.sessions.end(keys[0]!)).toBe(true)
  expect(await near.load.reserve('shop', [{ id: 'a', weight: 1 }])).toBe('a')
  expect(await near.cluster.secret('s', 'x')).toBe('x')
  expect(await near.cluster.nodes()).toEqual([])
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
