import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore, type Store, type Terms } from '../../packages/store/src/index.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { freshPrefix } from '../support/redis.ts'
import { type SentinelRedis, startSentinelRedis } from '../support/redis-sentinel.ts'
import { bound, eventually, freshKey } from './store-contract.ts'

const terms: Terms = { age: 1_800_000, source: 'session-cookie' }

/** What stands in a URL with % if at all. */
const passwords = { server: 'p@ss/word', sentinel: 'another&one' }

let redis: SentinelRedis
let store: Store

beforeAll(async () => {
  redis = await startSentinelRedis({ replicas: 2, passwords })
  store = openStore(redis.url, { prefix: freshPrefix() })
  await eventually(() => store.available)
})
afterAll(async () => {
  await store?.[Symbol.asyncDispose]()
  await redis?.[Symbol.asyncDispose]()
})

test('the store is the master that sentinels name', async () => {
  const key = freshKey('shop')
  const row = bound(await store.sessions.bind(key, 'a', 0, terms))

  expect(await store.sessions.show(key)).toMatchObject({ backend: 'a', version: row.version })
  expect(await store.load.reserve('shop', [{ id: 'a', weight: 1 }])).toBe('a')
})

test('a master killed: its replica takes over in less than 5 s under another epoch, and known sessions never notice', async () => {
  const kept = freshKey('shop')
  const before = bound(await store.sessions.bind(kept, 'a', 0, terms))
  await replicated()
  const killed = performance.now()

  await redis.master.kill()
  await eventually(() => !store.available)
  expect(await store.sessions.find(kept)).toMatchObject({ backend: 'a' })
  await eventually(() => store.available)
  console.log(`${((performance.now() - killed) / 1000).toFixed(1)} s without a master`)
  expect(performance.now() - killed).toBeLessThan(5000)

  const another = await store.sessions.find(freshKey('shop'))
  expect(another.epoch).not.toBe(before.epoch)
  expect(await store.sessions.show(kept)).toMatchObject({ backend: 'a', version: before.version })
  expect(bound(await store.sessions.bind(freshKey('shop'), 'b', 0, terms)).epoch).toBe(another.epoch)
  await eventually(async () => (await store.load.reserve('shop', [{ id: 'a', weight: 1 }])) === 'a')
})

test('a switch-over by hand, with a sentinel gone, is followed in less than 5 s, though the old master lives', async () => {
  const kept = freshKey('shop')
  const before = bound(await store.sessions.bind(kept, 'a', 0, terms))
  const [gone, asked] = redis.sentinels as [LocalRedis, LocalRedis, LocalRedis]
  await gone.kill()
  await using sentinel = disposable(new Redis({ port: asked.port, password: passwords.sentinel }))
  // The replica left has to be known to follow its new master.
  await eventually(async () => (await sentinel.call('sentinel', 'failover', 'mymaster').catch(() => '')) === 'OK')
  const began = performance.now()

  await eventually(async () => ![undefined, before.epoch].includes(await epochNow()))
  console.log(`${((performance.now() - began) / 1000).toFixed(1)} s to follow`)

  expect(performance.now() - began).toBeLessThan(5000)
  expect(await store.sessions.show(kept)).toMatchObject({ backend: 'a', version: before.version })
  bound(await store.sessions.bind(freshKey('shop'), 'a', 0, terms))
})

/** The epoch that a session bound now gets; the last one while the store is away. */
async function epochNow(): Promise<number | undefined> {
  try {
    return (await store.sessions.bind(freshKey('shop'), 'a', 0, terms)).epoch
  } catch {
    return undefined
  }
}

function disposable(client: Redis): Redis & AsyncDisposable {
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.disconnect() })
}

/** Resolves when the replica has what the master has: what it lacks is lost with the master. */
async function replicated(): Promise<void> {
  const master = new Redis({ port: redis.master.port, password: passwords.server })
  await master.set('everything', 'so far')
  expect(await master.wait(2, 5000)).toBe(2)
  master.disconnect()
}
