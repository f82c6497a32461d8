import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SessionKey, StoreUnavailable, type Terms } from '../../packages/store/src/index.ts'
import { NearCache } from '../../packages/store/src/near-cache.ts'
import { shardOf } from '../../packages/store/src/redis-shards.ts'
import { slotOf, tagOf } from '../../packages/store/src/redis-slots.ts'
import { RedisStore } from '../../packages/store/src/redis-store.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { freshPrefix } from '../support/redis.ts'
import { type RedisClusterNodes, startRedisCluster } from '../support/redis-cluster-nodes.ts'
import { bound, eventually, freshKey } from './store-contract.ts'

const terms: Terms = { age: 1_800_000, source: 'session-cookie' }
const shards = 16

let cluster: RedisClusterNodes
let store: RedisStore
let near: NearCache
let other: RedisStore

/** Three masters with a replica each; two processes, one of them with a near cache. */
beforeAll(async () => {
  cluster = await startRedisCluster({ replicas: 1 })
  const prefix = freshPrefix()
  store = new RedisStore(cluster.url, { prefix })
  near = new NearCache(store, store.changes)
  other = new RedisStore(cluster.url, { prefix })
  await eventually(() => isWhole(store) && isWhole(other))
})
afterAll(async () => {
  await Promise.all([near?.[Symbol.asyncDispose](), other?.[Symbol.asyncDispose]()])
  await cluster?.[Symbol.asyncDispose]()
})

test('a pool’s sessions are spread over all masters, and are listed and counted over all', async () => {
  const keys = Array.from({ length: 60 }, () => freshKey('spread'))
  await Promise.all(keys.map((key) => store.sessions.bind(key, 'a', 0, terms)))

  expect(new Set(keys.map(masterOf)).size).toBe(3)
  expect(await other.sessions.count('spread')).toEqual(new Map([['a', 60]]))
  const listed = new Set<string>()
  for await (const { key } of other.sessions.list('spread')) listed.add(key.id)
  expect(listed).toEqual(new Set(keys.map(({ id }) => id)))
})

test('a script that a master forgot is sent whole', async () => {
  for (const master of cluster.masters) await cluster.ask(master, 'script', 'flush')

  for (const master of cluster.masters) bound(await store.sessions.bind(keyOn(master, 'flushed'), 'a', 0, terms))
})

test('a slot that moves to another master takes its sessions along, and changes are heard from there', async () => {
  const [from, to] = cluster.masters as [LocalRedis, LocalRedis, LocalRedis]
  const key = keyOn(from, 'moving')
  const row = bound(await near.sessions.bind(key, 'a', 0, terms))
  await eventually(() => !(near.sessions.find(key) instanceof Promise))

  const move = await moveSlot(from, to, slotOfSession(key))
  // While it is on its way nobody is told that a row is absent: it is answered, or the store is away.
  for (let asked = 0; asked < 20; asked++) expect(await answerOf(other, key)).toMatch(/bound|away/)
  await move.end()

  await eventually(async () => (await answerOf(other, key)) === 'bound')
  const moved = bound(await other.sessions.bind(key, 'b', row.version, terms))
  await eventually(async () => (await near.sessions.find(key)).version === moved.version)
  await eventually(() => !(near.sessions.find(key) instanceof Promise))
})

test('a master killed takes its own slots along and no others, until its replica takes over in less than 5 s', async () => {
  const [, killed, alive] = cluster.masters as [LocalRedis, LocalRedis, LocalRedis]
  const pool = poolOn(alive)
  const [lost, kept] = [keyOn(killed, pool), keyOn(alive, pool)]
  const [before, beside] = [
    await near.sessions.bind(lost, 'a', 0, terms),
    await near.sessions.bind(kept, 'a', 0, terms),
  ]
  await eventually(() => [lost, kept].every((key) => !(near.sessions.find(key) instanceof Promise)))

  await replicated(killed, slotOfSession(lost))

  await killed.kill()
  const began = performance.now()
  await eventually(async () => (await answerOf(other, keyOn(killed, pool))) === 'away')
  while ((await answerOf(other, lost)) === 'away') {
    expect(store.available).toBe(true)
    expect(await near.sessions.find(lost)).toMatchObject({ backend: 'a', version: before.version })
    expect(near.sessions.find(kept)).toEqual(beside)
    expect(await other.sessions.find(kept)).toEqual(beside)
    bound(await other.sessions.bind(keyOn(alive, pool), 'a', 0, terms))
    expect(await other.load.reserve(pool, [{ id: 'a', weight: 1 }])).toBe('a')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const away = performance.now() - began
  console.log(`${(away / 1000).toFixed(1)} s without a master`)

  expect(away).toBeLessThan(5000)
  // Either process finds the new master when it does.
  await eventually(() => isWhole(store) && isWhole(other))
  const after = bound(await other.sessions.find(lost))
  expect(after).toMatchObject({ backend: 'a', version: before.version })
  expect(after.epoch).not.toBe(before.epoch)
  const moved = bound(await other.sessions.bind(lost, 'b', before.version, terms))
  await eventually(async () => (await near.sessions.find(lost)).version === moved.version)
  await eventually(() => !(near.sessions.find(lost) instanceof Promise))
})

test('a master that is wedged is replaced like one that died, and does no harm when it wakes as a replica', async () => {
  await eventually(() => isWhole(store) && isWhole(other))
  const [wedged] = cluster.masters as [LocalRedis, LocalRedis, LocalRedis]
  const key = keyOn(wedged, 'wedged')
  const before = bound(await near.sessions.bind(key, 'a', 0, terms))
  await replicated(wedged, slotOfSession(key))

  wedged.pause()
  const began = performance.now()
  await eventually(() => store.roles()[0]!.reason !== undefined)
  expect(await near.sessions.find(key)).toMatchObject({ backend: 'a', version: before.version })
  await eventually(async () => (await answerOf(other, key)) === 'bound')
  expect(performance.now() - began).toBeLessThan(6000)
  wedged.resume()
  await eventually(async () => String(await cluster.ask(wedged, 'info', 'replication')).includes('role:slave'))

  const moved = bound(await other.sessions.bind(key, 'b', before.version, terms))
  await eventually(async () => (await near.sessions.find(key)).version === moved.version)
  await eventually(() => isWhole(store) && isWhole(other))
})

function isWhole(tested: RedisStore): boolean {
  return tested.roles().every(({ available, reason }) => available && reason === undefined)
}

/** What a look-up finds, or that the store is away for this session. */
async function answerOf(tested: RedisStore, key: SessionKey): Promise<string> {
  try {
    return (await tested.sessions.find(key)).state
  } catch (failure) {
    if (failure instanceof StoreUnavailable) return 'away'
    throw failure
  }
}

function slotOfSession({ pool, id }: SessionKey): number {
  return slotOf(`{${pool}:${shardOf(id, shards)}}`)
}

/** The master that began with the slot. */
function masterOfSlot(slot: number): LocalRedis {
  return cluster.masters[Math.floor((slot * 3 + 2) / 16384)]!
}

function masterOf(key: SessionKey): LocalRedis {
  return masterOfSlot(slotOfSession(key))
}

function keyOn(master: LocalRedis, pool: string): SessionKey {
  for (;;) {
    const key = freshKey(pool)
    if (masterOf(key) === master) return key
  }
}

/** A pool whose load and number of shards lie on the master. */
function poolOn(master: LocalRedis): string {
  for (let number = 0; ; number++) if (masterOfSlot(slotOf(`{pool-${number}}`)) === master) return `pool-${number}`
}

/** Resolves when the replica has what the master has: what it lacks is lost with the master. */
async function replicated(master: LocalRedis, slot: number): Promise<void> {
  await cluster.ask(master, 'set', `{${tagOf(slot)}}`, '')
  expect(await cluster.ask(master, 'wait', 1, 5000)).toBe(1)
}

/** Begins to move a slot as `redis-cli --cluster reshard` does: half of its keys are there, until `end`. */
async function moveSlot(from: LocalRedis, to: LocalRedis, slot: number): Promise<{ end(): Promise<void> }> {
  const [source, target] = [await idOf(from), await idOf(to)]
  await cluster.ask(to, 'cluster', 'setslot', slot, 'importing', source)
  await cluster.ask(from, 'cluster', 'setslot', slot, 'migrating', target)
  const carry = (most: number) => carryKeys(from, to, slot, most)
  await carry(1)
  const end = async () => {
    while ((await carry(10)) > 0) {}
    for (const node of [to, from]) await cluster.ask(node, 'cluster', 'setslot', slot, 'node', target)
  }
  return { end }
}

async function carryKeys(from: LocalRedis, to: LocalRedis, slot: number, most: number): Promise<number> {
  const keys = (await cluster.askForBuffers(from, 'cluster', 'getkeysinslot', slot, most)) as Buffer[]
  if (keys.length > 0) await cluster.ask(from, 'migrate', '127.0.0.1', to.port, '', 0, 1000, 'keys', ...keys)
  return keys.length
}

async function idOf(node: LocalRedis): Promise<string> {
  return String(await cluster.ask(node, 'cluster', 'myid'))
}
