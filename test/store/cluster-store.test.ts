import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Terms } from '../../packages/store/src/index.ts'
import { loadScripts } from '../../packages/store/src/load-scripts.ts'
import { NearCache } from '../../packages/store/src/near-cache.ts'
import { RedisClusterLinks } from '../../packages/store/src/redis-cluster-links.ts'
import { RedisLoadTable } from '../../packages/store/src/redis-load-table.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import { type ClusterTarget, parseRedisUrl } from '../../packages/store/src/redis-url.ts'
import { freePort } from '../support/local-redis.ts'
import { freshPrefix, redisUrl, startRedis } from '../support/redis.ts'
import { type RedisClusterNodes, startRedisCluster } from '../support/redis-cluster-nodes.ts'
import { loadTableContract } from './load-table-contract.ts'
import { operatorsContract } from './operators-contract.ts'
import { bound, eventually, freshKey, type StoreUnderTest, storeContract } from './store-contract.ts'

const manual = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8')
const terms: Terms = { age: 1_800_000, source: 'session-cookie' }

let cluster: RedisClusterNodes
beforeAll(async () => {
  cluster = await startRedisCluster()
})
afterAll(() => cluster?.[Symbol.asyncDispose]())

storeContract('RedisStore over a cluster of three masters', { concurrent: true }, () => {
  const prefix = freshPrefix()
  return overCluster([new RedisStore(cluster.url, { prefix }), new RedisStore(cluster.url, { prefix, shards: 2 })])
})

operatorsContract('NearCache over a cluster of three masters, for operators', () => {
  const prefix = freshPrefix()
  const near = () => {
    const store = new RedisStore(cluster.url, { prefix })
    return new NearCache(store, store.changes)
  }
  return overCluster([near(), near()])
})

loadTableContract('a load table over a cluster of three masters', async () => {
  const links = new RedisClusterLinks(parseRedisUrl(cluster.url) as ClusterTarget, {
    scripts: Object.values(loadScripts),
  })
  await eventually(() => links.available && links.state.reason === undefined)
  const table = new RedisLoadTable(links, { prefix: freshPrefix() })
  return Object.assign(table, {
    [Symbol.asyncDispose]: async () => {
      await RedisLoadTable.prototype[Symbol.asyncDispose].call(table)
      await links[Symbol.asyncDispose]()
    },
  })
})

describe('a cluster that cannot be reached', () => {
  const [reasonOf, addressOf] = [
    (store: RedisStore) => store.roles()[0]!.reason,
    (url: string) => url.replace('redis://', ''),
  ]

  test('is waited for, and says why', async () => {
    const late = await startRedis({ settings: ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`] })
    await late.kill()
    await using store = new RedisStore(`redis+cluster://${addressOf(late.url)}`)
    await using _ = late

    await eventually(() => reasonOf(store)?.includes('ECONNREFUSED') === true)
    await expect(store.sessions.find(freshKey('shop'))).rejects.toThrow('no master of the Redis Cluster')
    expect(store.available).toBe(false)
    await late.start()
    await eventually(() => reasonOf(store)?.includes('knows of no slots') === true)
    const client = new Redis(late.url)
    await client.cluster('ADDSLOTSRANGE', 0, 16383)
    client.disconnect()

    // A cluster whose slots have just been dealt is down for a moment.
    await eventually(() => answers(store))
  })

  test('is no cluster, and says so', async () => {
    await using store = new RedisStore(`redis+cluster://${addressOf(redisUrl())}`)

    await eventually(() => reasonOf(store)?.includes('cluster support disabled') === true)
  })
})

test('a user of a Redis Cluster needs the rights that the manual grants and no others', async () => {
  const rights = [...manual.matchAll(/ACL SETUSER sticky on >\S+ (.*)$|Rights\*\* beyond .*`(.*)`/gm)]
  expect(rights).toHaveLength(2)
  const rules = rights.flatMap(([, one, more]) => (one ?? more)!.split(' '))
  for (const node of cluster.masters) await cluster.ask(node, 'acl', 'setuser', 'sticky', 'on', '>secret', ...rules)
  const store = new RedisStore(cluster.url.replace('//', '//sticky:secret@'))
  await using near = new NearCache(store, store.changes)
  await whole(near)

  const keys = Array.from({ length: 30 }, () => freshKey('granted'))
  for (const key of keys) bound(await near.sessions.bind(key, 'a', 0, terms))
  await eventually(() => keys.every((key) => !(near.sessions.find(key) instanceof Promise)))
  expect(await near.sessions.count('granted')).toEqual(new Map([['a', 30]]))
  expect(await near.sessions.end(keys[0]!)).toBe(true)
  expect(await near.load.reserve('granted', [{ id: 'a', weight: 1 }])).toBe('a')
  expect(await near.cluster.secret('s', 'x')).toBe('x')
  expect(await near.cluster.nodes()).toEqual([])
  expect(await near.warnings()).toEqual([])

  for (const node of cluster.masters) await cluster.ask(node, 'acl', 'setuser', 'sticky', '-asking', '+keys')
  expect(await near.warnings()).toEqual([
    expect.stringContaining('lacks rights: ASKING'),
    expect.stringContaining('KEYS'),
  ])
})

async function answers(store: RedisStore): Promise<boolean> {
  try {
    return (await store.sessions.find(freshKey('shop'))).state === 'absent'
  } catch {
    return false
  }
}

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
