import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import type { openStore, SessionTable, Store, Terms } from '@sticky/store'
import { Redis } from 'ioredis'

import { sessionCookie } from '../pages.ts'
import type { Contender } from '../proxies/contender.ts'
import { startRedis } from '../redis.ts'
import { interleave, type Measured } from '../rounds.ts'
import type { Lane, Row, Stage } from './row.ts'

/** What a session with one cookie of its application takes in Redis, row and index, written by our own store. */
export const redisMemory: Row = {
  id: 'redis-memory',
  title: 'Redis memory',
  kinds: ['sticky'],
  measures: [
    { key: 'bytes', title: 'bytes/session', digits: 0 },
    { key: 'sessions', title: 'sessions', digits: 0 },
    { key: 'megabytes', title: 'MiB in all', digits: 0 },
  ],
  run,
}

const pool = 'shop'
const halfAnHour = 1_800_000
const atOnce = 1024

async function run(stage: Stage): Promise<Lane[]> {
  const subjects = stage.contenders.map((contender) => ({ contender }))
  return await interleave(1, subjects, stage, ({ contender }) => measure(contender, stage.plan.storedSessions))
}

async function measure({ checkout }: Contender, count: number): Promise<Measured> {
  await using redis = await startRedis()
  const client = new Redis(redis.url)
  await using store = (await storeOf(checkout)).openStore(redis.url)
  await available(store)
  const before = await usedMemory(client)
  await bindMany(store.sessions, count)
  const used = (await usedMemory(client)) - before
  const stored = Array.from((await store.sessions.count(pool)).values()).reduce((sum, each) => sum + each, 0)
  client.disconnect()
  const faults = stored === count ? [] : [`${count} sessions were bound, ${stored} are there`]
  return { round: { bytes: used / count, sessions: stored, megabytes: used / 2 ** 20 }, faults }
}

/** The store of that revision, not of the bench's own. */
function storeOf(checkout: string | undefined): Promise<{ openStore: typeof openStore }> {
  return import(join(checkout!, 'packages/store/src/index.ts'))
}

async function available(store: Store): Promise<void> {
  if (store.available) return
  await new Promise<void>((resolve) => store.onAvailability((available) => available && resolve()))
}

async function bindMany(sessions: SessionTable, count: number): Promise<void> {
  for (let bound = 0; bound < count; bound += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, count - bound) }, () => bindOne(sessions)))
  }
}

async function bindOne(sessions: SessionTable): Promise<void> {
  const key = { pool, id: randomBytes(16).toString('base64url') }
  const row = await sessions.bind(key, 'a', 0, terms())
  if (row.state !== 'bound' || row.backend !== 'a') throw new Error('a session that is new was bound by somebody else')
}

/** As the session-cookie strategy asks for a response that sets a cookie such as the bench's application does. */
function terms(): Terms {
  const fingerprint = randomBytes(8).toString('base64url')
  const cookie = { name: sessionCookie, fingerprint, age: halfAnHour, attributes: 'Path=/; HttpOnly' }
  return { age: halfAnHour, source: 'session-cookie', cookies: [cookie] }
}

async function usedMemory(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))![1])
}
