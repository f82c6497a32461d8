import { Redis } from 'ioredis'

import type { ProxyNode } from '../support/proxy-node.ts'
import type { Row } from './row.ts'
import { inFlight, readiness, Stage, sessions } from './stage.ts'
import type { Trial } from './trial.ts'

const seen = (nodes: readonly ProxyNode[]) => Promise.all(nodes.map(readiness))
const allReady = (answers: readonly { readonly status: number }[]) => answers.every(({ status }) => status === 200)

/** Redis, when it is not there or not itself. */
export const redisRows: readonly Row[] = [
  {
    number: 1,
    name: 'Redis absent at start',
    does: 'two nodes start without it and serve; then it starts',
    passes: 'no error, nobody with a cookie moved; the sessions are in it 5 s after it appears',
    async run(trial) {
      const stage = trial.stack.use(await Stage.build())
      await stage.redis.kill()
      await stage.startNodes()
      const load = stage.load()
      await trial.under(load)
      trial.expect('/readyz says what is amiss', (await readiness(stage.nodes[0]!)).text !== 'ready')
      await trial.fault(() => undefined)
      await trial.stands()
      await trial.heal(() => stage.redis.start())
      await trial.recovers('the sessions are in it', () => sessions(stage.nodes[1]!), refilled(load), 5_000)
      await ended(trial)
    },
  },
  {
    number: 2,
    name: 'Redis kill -9 in traffic',
    does: 'kill -9 of Redis, then a new one, empty',
    passes:
      'no error, nobody moved; filled again by the cookies that clients bring; p99 at most twice the usual after 1 s',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const load = stage.load()
      await trial.under(load)
      await trial.fault(() => stage.redis.kill())
      await trial.stands()
      await trial.heal(() => stage.redis.start())
      await trial.recovers('the table is full again', () => sessions(stage.nodes[1]!), refilled(load), 5_000)
      await ended(trial)
      expectUsualTimes(trial)
    },
  },
  {
    number: 3,
    name: 'Redis 500 ms slow',
    does: 'every byte to and from Redis is 250 ms late',
    passes: 'no error, nobody moved; few connections to Redis; p50 unchanged, p99 at most the budget and the usual',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ through: 'fault-proxies' }))
      const load = stage.load()
      await trial.under(load)
      const usual = stage.ways.map(({ connections }) => connections)
      await trial.fault(() => stage.ways.forEach((way) => void way.slow(250)))
      await trial.stands()
      const now = stage.ways.map(({ connections }) => connections)
      const isBounded = now.every((count, n) => count <= 2 * usual[n]! + 2)
      trial.expect('connections to Redis do not pile up', isBounded, { usual, now })
      await trial.heal(() => stage.ways.forEach((way) => void way.slow(0)))
      await trial.recovers('every node is ready', () => seen(stage.nodes), allReady, 5_000)
      await ended(trial)
      expectUsualTimes(trial, 50)
    },
  },
  {
    number: 4,
    name: 'Redis accepts and is silent',
    does: 'SIGSTOP of Redis, then SIGCONT',
    passes: 'no error, nobody moved; noticed within 3 s, as before 3 s after SIGCONT; memory does not grow',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const load = stage.load()
      await trial.under(load)
      const notReady = (answers: readonly { readonly status: number }[]) =>
        answers.every(({ status }) => status !== 200)
      await trial.fault(() => stage.redis.pause())
      await trial.within('every node notices', () => seen(stage.nodes), notReady, 3_000)
      await trial.stands()
      await trial.heal(() => stage.redis.resume())
      await trial.recovers('every node is ready', () => seen(stage.nodes), allReady, 3_000)
      await ended(trial)
      expectUsualTimes(trial)
    },
  },
  {
    number: 7,
    name: 'FLUSHALL, keys evicted',
    does: 'FLUSHALL; then maxmemory with allkeys-lru, filled by others until our keys are gone',
    passes: 'nobody moved, no error; the counts are right again within a heartbeat',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const load = stage.load()
      await trial.under(load)
      const redis = new Redis(stage.redis.url)
      trial.stack.defer(() => redis.disconnect())
      await trial.fault(async () => void (await redis.flushall()))
      await trial.recovers('the table is full again', () => sessions(stage.nodes[1]!), refilled(load), 5_000)
      await evict(redis)
      await trial.stands()
      await trial.heal(async () => void (await redis.config('SET', 'maxmemory', '0')))
      await trial.recovers('the table is full again', () => sessions(stage.nodes[1]!), refilled(load), 5_000)
      await ended(trial)
      const quiet = () => Promise.all(stage.nodes.map(inFlight))
      await trial.within('in quiet the counts are 0', quiet, (counts) => counts.every((count) => count === 0), 3_000)
    },
  },
  {
    number: 8,
    name: 'Redis full, noeviction',
    does: 'maxmemory below what is used, so that every write is refused',
    passes: 'no error, nobody moved; a metric tells',
    isLong: true,
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      await trial.under(stage.load())
      const redis = new Redis(stage.redis.url)
      trial.stack.defer(() => redis.disconnect())
      await trial.fault(async () => void (await redis.config('SET', 'maxmemory', '1mb')))
      await trial.stands()
      const metrics = await (await fetch(new URL('/metrics', stage.nodes[0]!.admin))).text()
      const told = /^sticky_store_writes_refused_total(\{[^}]*\})? [1-9]/m.test(metrics)
      trial.expect('a metric tells that writes are refused', told)
      await trial.heal(async () => void (await redis.config('SET', 'maxmemory', '0')))
      await ended(trial)
    },
  },
]

async function ended(trial: Trial): Promise<void> {
  await trial.calm()
  trial.expectServed()
  trial.expectAtHome()
}

/** Redis counts at least the clients that stay. */
function refilled(load: { readonly clients: readonly unknown[] }): (count: number) => boolean {
  return (count) => count >= load.clients.length
}

/** Others write until hardly anything of ours can be left. */
async function evict(redis: Redis): Promise<void> {
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
  await redis.config('SET', 'maxmemory', '3mb')
  const filler = 'x'.repeat(4096)
  for (let n = 0; n < 1_500; n += 100) {
    const batch = redis.pipeline()
    for (let m = n; m < n + 100; m++) batch.set(`filler:${m}`, filler)
    await batch.exec()
  }
}

/** After the first second; a busy machine's noise below 5 ms says nothing. */
function expectUsualTimes(trial: Trial, budget = 0): void {
  const { before, during } = trial
  if (before === undefined || during === undefined) return
  const limit = Math.max(2 * before.p99, before.p99 + budget, 5)
  trial.expectInTime(
    'p99 is at most twice the usual, or the usual and the budget',
    during.p99 <= limit,
    trial.slowest(),
  )
}
