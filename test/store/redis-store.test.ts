import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Store, Terms } from '../../packages/store/src/index.ts'
import { NearCache } from '../../packages/store/src/near-cache.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { startRedis } from '../support/redis.ts'
import { bound, eventually, freshKey } from './store-contract.ts'

const terms: Terms = { age: 1_800_000, source: 'session-cookie' }
const cookie = () => ({
  name: 'JSESSIONID',
  fingerprint: randomBytes(8).toString('base64url'),
  age: 1_800_000,
  attributes: 'Path=/; HttpOnly',
})

let redis: LocalRedis
let admin: Redis
const opened: AsyncDisposable[] = []

/** Everything here has a Redis of its own to measure, fill and restart. */
beforeAll(async () => {
  redis = await startRedis()
  admin = new Redis(redis.url)
  admin.on('error', () => {})
})
afterAll(async () => {
  await Promise.all(opened.map((store) => store[Symbol.asyncDispose]()))
  admin.disconnect()
  await redis[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await eventually(() => admin.status === 'ready')
})

async function open(options: ConstructorParameters<typeof RedisStore>[1] = {}, url = redis.url): Promise<RedisStore> {
  const store = new RedisStore(url, options)
  opened.push(store)
  await eventually(() => store.available)
  return store
}

const near = (store: RedisStore): NearCache => new NearCache(store, store.changes)
const bindMany = (store: Store, pool: string, count: number, some: Partial<Terms> = {}) =>
  Promise.all(
    Array.from({ length: count }, (_, i) => store.sessions.bind(freshKey(pool), `${i % 2}`, 0, { ...terms, ...some })),
  )

/** How often Redis ran a command, scripts' own calls included. */
async function calls(command: string): Promise<number> {
  const stats = await admin.info('commandstats')
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0)
}

describe('cost', () => {
  test('a session with one application cookie takes at most 350 bytes of Redis', async () => {
    const store = await open({ prefix: 'sticky' })
    await bindMany(store, 'shop', 2)
    const used = async () => Number(/^used_memory:(\d+)/m.exec(await admin.info('memory'))![1])
    const sessions = 100_000
    const before = await used()

    for (let begun = 0; begun < sessions; begun += 1000) await bindMany(store, 'shop', 1000, { cookies: [cookie()] })

    const bytes = ((await used()) - before) / sessions
    console.log(`${bytes.toFixed(0)} bytes per session`)
    expect(bytes).toBeLessThan(350)
    await admin.flushall()
  }, 60_000)

  test('what one turn of the event loop wants goes as one call for each kind and 128 items', async () => {
    const store = await open({ prefix: 'grouped' })
    await bindMany(store, 'shop', 1)
    const scripts = await calls('evalsha')
    const reads = await calls('mget')

    await bindMany(store, 'shop', 256)
    await Promise.all(Array.from({ length: 128 }, () => store.sessions.find(freshKey('shop'))))

    // The load table and the sweep may have run a script meanwhile.
    expect((await calls('evalsha')) - scripts).toBeLessThanOrEqual(4)
    expect((await calls('mget')) - reads).toBe(1)
  })

  test('nobody asks for keys by pattern', async () => {
    expect((await calls('keys')) + (await calls('scan'))).toBe(0)
  })

  test('ended sessions leave the indexes, a little at a time', async () => {
    const store = await open({ prefix: 'swept' })
    await bindMany(store, 'shop', 2000, { age: 50 })
    expect(await admin.zcard('swept:1:{shop:0}:on:0')).toBe(1000)

    await eventually(async () => (await admin.exists('swept:1:{shop:0}:on:0', 'swept:1:{shop:0}:on:1')) === 0)

    await eventually(async () => (await admin.exists('swept:1:{shop:0}:backends')) === 0)
  })
})

describe('near caches of two processes', () => {
  test('hear of changes, and not of first bindings', async () => {
    const [one, two] = [near(await open({ prefix: 'heard' })), near(await open({ prefix: 'heard' }))]
    const stale: unknown[] = []
    two.onStale((key) => stale.push(key))
    const key = freshKey('shop')
    const row = bound(await one.sessions.bind(key, 'a', 0, terms))
    await two.sessions.find(key)
    expect(two.sessions.find(key)).toEqual(row)

    const moved = await one.sessions.bind(key, 'b', row.version, terms)
    await eventually(() => stale.length > 0)

    expect(stale).toEqual([key])
    expect(await two.sessions.find(key)).toEqual(moved)
  })

  test('read again what they hold when they have heard nothing for a second', async () => {
    await using proxy = await FaultProxy.to({ port: redis.port })
    const one = near(await open({ prefix: 'silent' }))
    const store = await open({ prefix: 'silent' })
    // Only the channel goes through the proxy: the store itself answers.
    const deaf = await open({ prefix: 'silent' }, `redis://127.0.0.1:${proxy.port}`)
    const two = new NearCache(store, deaf.changes)
    const key = freshKey('shop')
    const row = bound(await one.sessions.bind(key, 'a', 0, terms))
    await two.sessions.find(key)
    const told = new Promise((resolve) => two.onStale(resolve))

    proxy.blackhole()
    const moved = await one.sessions.bind(key, 'b', row.version, terms)
    expect(await told).toBe('all')

    expect(await two.sessions.find(key)).toEqual(moved)
  })

  test('read again what they held before the channel was lost', async () => {
    await using proxy = await FaultProxy.to({ port: redis.port })
    const one = near(await open({ prefix: 'cut' }))
    const store = await open({ prefix: 'cut' })
    const cut = await open({ prefix: 'cut' }, `redis://127.0.0.1:${proxy.port}`)
    const two = new NearCache(store, cut.changes)
    const key = freshKey('shop')
    const row = bound(await one.sessions.bind(key, 'a', 0, terms))
    await two.sessions.find(key)

    proxy.refuses = true
    proxy.cut()
    await eventually(() => !cut.changes.live)
    const moved = await one.sessions.bind(key, 'b', row.version, terms)
    proxy.refuses = false
    await eventually(() => cut.changes.live)

    expect(await two.sessions.find(key)).toEqual(moved)
  })

  test('take no harm from whatever is published on their channel', async () => {
    const one = near(await open({ prefix: 'noise' }))
    const key = freshKey('shop')
    const row = await one.sessions.bind(key, 'a', 0, terms)

    for (const noise of ['', 'x', '\u0000', 'shop', randomBytes(23), randomBytes(300), Buffer.alloc(64, 255)]) {
      await admin.publish('noise:1:changes', noise)
    }

    expect(await one.sessions.find(key)).toEqual(row)
  })
})

test('a user of Redis needs these rights and no others', async () => {
  const rights = '~acl:* &acl:* +@read +@write +@scripting +@pubsub +time +info'
  await admin.acl('SETUSER', 'sticky', 'on', '>secret', ...rights.split(' '))
  const url = `redis://sticky:secret@127.0.0.1:${redis.port}`
  const store = near(await open({ prefix: 'acl' }, url))
  const key = freshKey('shop')

  const row = bound(await store.sessions.bind(key, 'a', 0, { ...terms, cookies: [cookie()] }))
  const moved = bound(await store.sessions.bind(key, 'b', row.version, terms))
  store.sessions.touch(key, moved)
  store.cookies.record(key, [{ ...cookie(), name: 'cart' }])
  await eventually(async () => (await store.cookies.of(key)).length === 2)
  expect((await store.sessions.count('shop')).get('b')).toBe(1)
  for await (const listed of store.sessions.list('shop')) expect(listed.key).toEqual(key)
  expect(await store.sessions.end(key)).toBe(true)
  expect(await store.load.reserve('shop', [{ id: 'a', weight: 1 }])).toBe('a')
  expect(await store.cluster.secret('s', 'x')).toBe('x')
  expect(await store.cluster.nodes()).toEqual([])
  expect(store.available).toBe(true)
})

describe('a full Redis', () => {
  test('begins no session, and goes on touching, ending and finding those there are', async () => {
    const store = await open({ prefix: 'full' })
    const [ended, touched] = [freshKey('shop'), freshKey('shop')]
    await store.sessions.bind(ended, 'a', 0, terms)
    const row = bound(await store.sessions.bind(touched, 'a', 0, terms))
    await admin.config('SET', 'maxmemory', '1mb')
    try {
      await expect(store.sessions.bind(freshKey('shop'), 'a', 0, terms)).rejects.toThrow(/OOM/)
      store.sessions.touch(touched, row)
      expect(await store.sessions.end(ended)).toBe(true)
      expect(await store.sessions.find(ended)).toMatchObject({ state: 'ended' })
      await eventually(async () => (await store.sessions.show(touched))!.touched > row.created)
      expect(store.available).toBe(true)
    } finally {
      await admin.config('SET', 'maxmemory', '0')
    }
  })

  test('refuses writes by every way until one is taken again', async () => {
    const store = await open({ prefix: 'full' })
    const refusing = () => store.roles().filter(({ readOnly }) => readOnly)
    const write = () => [store.sessions.bind(freshKey('shop'), 'a', 0, terms), store.cluster.secret('full', 'x')]
    await admin.config('SET', 'maxmemory', '1mb')
    try {
      await Promise.allSettled(write())
      expect(refusing().map(({ role }) => role)).toEqual(['requests', 'upkeep'])
    } finally {
      await admin.config('SET', 'maxmemory', '0')
    }

    await Promise.all(write())

    expect(refusing()).toEqual([])
  })
})

describe('another master', () => {
  test('that lost the last writes has another epoch, known before anything is bound there', async () => {
    const store = await open({ prefix: 'epoch' })
    const kept = freshKey('shop')
    const before = bound(await store.sessions.bind(kept, 'a', 0, terms))
    await admin.save()
    const lost = freshKey('shop')
    await store.sessions.bind(lost, 'a', 0, terms)

    await redis.kill()
    await eventually(() => !store.available)
    await redis.start()
    await eventually(() => store.available)

    const absent = await store.sessions.find(lost)
    expect(absent.state).toBe('absent')
    expect(absent.epoch).not.toBe(before.epoch)
    expect(await store.sessions.find(kept)).toEqual({ ...before, epoch: absent.epoch })
    const bind = bound(await store.sessions.bind(lost, 'a', 0, terms))
    expect(bind.epoch).toBe(absent.epoch)
  })

  test('whose scripts were forgotten gets them again', async () => {
    const store = await open({ prefix: 'scripts' })
    await admin.script('FLUSH')

    bound(await store.sessions.bind(freshKey('shop'), 'a', 0, terms))
    expect((await store.sessions.count('shop')).get('a')).toBe(1)
  })

  test('that forgot a pool is told its number of shards again, or obeys another', async () => {
    const store = await open({ prefix: 'meta', shards: 4 })
    await bindMany(store, 'shop', 20)
    await admin.flushall()
    await admin.hset('meta:1:{shop}:meta', 'shards', 2)

    await eventually(async () => {
      const key = freshKey('shop')
      await store.sessions.bind(key, 'a', 0, terms)
      return (await store.sessions.show(key)) !== undefined
    })
  })
})

test('the lease of a node that was killed lapses', async () => {
  const store = await open({ prefix: 'lease', lease: 2000, heartbeat: 500 })
  const killed = new RedisStore(redis.url, { prefix: 'lease', lease: 2000, heartbeat: 100_000 })
  await eventually(() => killed.available)
  const node = { id: 'n', instance: 'i', host: '', pid: 1, version: '', workers: 1, started: 1, configHash: '' }
  await using _ = await store.cluster.join({ ...node, id: 'alive', opens: [], addresses: [] })
  await killed.cluster.join({ ...node, id: 'killed', opens: [], addresses: [] })
  expect((await store.cluster.nodes()).map(({ id }) => id)).toEqual(['alive', 'killed'])

  await killed[Symbol.asyncDispose]()

  await eventually(async () => (await store.cluster.nodes()).length === 1)
  expect((await store.cluster.nodes())[0]!.id).toBe('alive')
})
