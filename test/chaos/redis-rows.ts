import type { NodeList } from '@sticky/proxy/admin-api'
import { Redis } from 'ioredis'

import type { ProxyNode } from '../support/proxy-node.ts'
import { expectQuiet, inFlightElsewhere } from './counts.ts'
import { residentMiB } from './memory.ts'
import type { Row } from './row.ts'
import { metric, readiness, Stage, sessions } from './stage.ts'
import { expectUsualTimes } from './times.ts'
import type { Trial } from './trial.ts'
import { openSockets, stillOpen } from './web-sockets.ts'

const HEARTBEAT = 2_000
const SOCKETS = 20

const seen = (nodes: readonly ProxyNode[]) => Promise.all(nodes.map(readiness))
const allReady = (answers: readonly { readonly status: number }[]) => answers.every(({ status }) => status === 200)
const noneReady = (answers: readonly { readonly status: number }[]) => answers.every(({ status }) => status !== 200)

/** Redis, when it is not there or not itself. */
export const redisRows: readonly Row[] = [
  {
    number: 1,
    name: 'Redis absent at start',
    does: 'two nodes start without it and serve; then it starts',
    passes: 'no error, nobody with a cookie moved; nodes and sessions are in it 5 s after it appears',
    async run(trial) {
      const stage = trial.stack.use(await Stage.build())
      await stage.redis.kill()
      await stage.startNodes()
      const load = stage.load()
      await trial.under(load)
      const readinesses = await seen(stage.nodes)
      const saySo = readinesses.every(({ status, text }) => status === 503 && text.includes('degraded'))
      trial.expect('/readyz says degraded', saySo, readinesses)
      await trial.fault(() => undefined)
      await trial.stands()
      await trial.heal(() => stage.redis.start())
      await expectRefilled(trial, stage, load.clients.length)
      const members = () => Promise.all(stage.nodes.map((node) => node.ask<NodeList>('/v1/nodes')))
      const all = (lists: readonly NodeList[]) => lists.every(({ nodes }) => nodes.length === 2)
      await trial.recovers('both nodes see both', members, all, 5_000)
      await ended(trial)
    },
  },
  {
    number: 2,
    name: 'Redis kill -9 in traffic',
    does: 'kill -9 of Redis, then a new one, empty',
    passes:
      'no error, nobody moved; filled again by the cookies that clients bring; p99 at most 250 ms in the first second, and at most twice the usual then',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const load = stage.load()
      await trial.under(load)
      await trial.fault(() => stage.redis.kill())
      await trial.stands()
      await trial.heal(() => stage.redis.start())
      await expectRefilled(trial, stage, load.clients.length)
      await ended(trial)
      expectUsualTimes(trial)
    },
  },
  {
    number: 3,
    name: 'Redis 500 ms slow',
    does: 'every byte to and from Redis is 250 ms late',
    passes: 'no error, nobody moved; few connections to Redis; p50 unchanged, p99 at most twice the usual after 1 s',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ through: 'fault-proxies' }))
      await trial.under(stage.load())
      const usual = stage.ways.map(({ connections }) => connections)
      await trial.fault(() => stage.ways.forEach((way) => void way.slow(250)))
      await trial.stands()
      const now = stage.ways.map(({ connections }) => connections)
      const isBounded = now.every((count, n) => count <= 2 * usual[n]! + 2)
      trial.expect('connections to Redis do not pile up', isBounded, { usual, now })
      await trial.heal(() => stage.ways.forEach((way) => void way.slow(0)))
      await trial.recovers('every node is ready', () => seen(stage.nodes), allReady, 5_000)
      await ended(trial)
      expectUsualTimes(trial)
    },
  },
  {
    number: 4,
    name: 'Redis accepts and is silent',
    does: 'SIGSTOP of Redis, then SIGCONT',
    passes:
      'no error, nobody moved; noticed within 3 s, as before 3 s after SIGCONT; memory does not grow; p99 at most twice the usual after 1 s',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      await trial.under(stage.load())
      await trial.fault(() => stage.redis.pause())
      await trial.within('every node notices', () => seen(stage.nodes), noneReady, 3_000)
      const usual = await residentMiB(stage.nodes[0]!)
      await trial.stands()
      const now = await residentMiB(stage.nodes[0]!)
      trial.note(`a node has ${usual.toFixed(0)} MiB as it begins, ${now.toFixed(0)} MiB as it ends`)
      trial.expectInTime('memory does not grow', now <= usual * 1.15, { usual, now })
      await trial.heal(() => stage.redis.resume())
      await trial.recovers('every node is ready', () => seen(stage.nodes), allReady, 3_000)
      await ended(trial)
      expectUsualTimes(trial)
    },
  },
  {
    number: 7,
    name: 'FLUSHALL, keys evicted',
    does: `FLUSHALL, while a node has ${SOCKETS} WebSockets; then maxmemory with allkeys-lru, filled by others until our keys are gone`,
    passes:
      'nobody moved, no error; the counts are right again within a heartbeat; p99 at most twice the usual after 1 s; a node that starts warns of the policy, in its log and by a metric',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const load = stage.load()
      const sockets = await openSockets(trial, stage, stage.nodes[0]!, SOCKETS)
      await trial.under(load)
      const redis = new Redis(stage.redis.url)
      trial.stack.defer(() => redis.disconnect())
      await trial.fault(async () => void (await redis.flushall()))
      await expectCounted(trial, stage)
      await expectRefilled(trial, stage, load.clients.length)
      await evict(redis)
      await trial.stands()
      await expectWarning(trial, stage)
      await trial.heal(async () => void (await redis.config('SET', 'maxmemory', '0')))
      await expectCounted(trial, stage)
      await expectRefilled(trial, stage, load.clients.length)
      await ended(trial)
      trial.expect('every WebSocket lives on', stillOpen(sockets) === SOCKETS, stillOpen(sockets))
      await expectQuiet(trial, stage.nodes, { left: SOCKETS })
      expectUsualTimes(trial)
    },
  },
  {
    number: 8,
    name: 'Redis full, noeviction',
    does: 'maxmemory below what is used, so that every write is refused',
    passes: 'no error, nobody moved; log and metric of every node tell',
    isLong: true,
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      await trial.under(stage.load())
      const redis = new Redis(stage.redis.url)
      trial.stack.defer(() => redis.disconnect())
      await trial.fault(async () => void (await redis.config('SET', 'maxmemory', '1mb')))
      await trial.stands()
      const refused = await Promise.all(stage.nodes.map((node) => metric(node, 'sticky_store_writes_refused_total')))
      const areTold = refused.every((count) => count > 0)
      trial.expect('a metric tells that writes are refused', areTold, refused)
      const areLogged = stage.nodes.every(({ lines }) => lines.some(({ msg }) => msg === 'store refuses writes'))
      trial.expect('so does the log', areLogged)
      await trial.heal(async () => void (await redis.config('SET', 'maxmemory', '0')))
      const last = () => stage.nodes.map(({ lines }) => lines.findLast(({ msg }) => /^store .* writes/.test(msg))?.msg)
      const isOver = (told: readonly unknown[]) => told.every((msg) => msg === 'store takes writes again')
      await trial.recovers('the log says when that is over', last, isOver, 5_000)
      await ended(trial)
    },
  },
]

async function ended(trial: Trial): Promise<void> {
  await trial.calm()
  trial.expectServed()
  trial.expectAtHome()
}

/** Every node finds as many sessions in Redis as there are clients that stay, or more. */
async function expectRefilled(trial: Trial, { nodes }: Stage, clients: number): Promise<void> {
  const found = () => Promise.all(nodes.map(sessions))
  const isFull = (counts: readonly number[]) => counts.every((count) => count >= clients)
  await trial.recovers('the sessions are in it', found, isFull, 5_000)
}

/** The other node sees what the first one's WebSockets have in flight. */
async function expectCounted(trial: Trial, { nodes }: Stage): Promise<void> {
  const others = () => inFlightElsewhere(nodes[1]!)
  await trial.recovers('its WebSockets are counted', others, (count) => count >= SOCKETS, HEARTBEAT)
}

async function expectWarning(trial: Trial, stage: Stage): Promise<void> {
  const [usual, late] = [stage.nodes[0]!, await stage.startNode(stage.nodes.length)]
  const told = () =>
    late.lines.some(({ msg, reason }) => msg === 'store set-up' && /policy allkeys-lru/.test(`${reason}`))
  await trial.within('a node that starts warns of the policy', told, Boolean, 5_000)
  const [before, now] = await Promise.all([usual, late].map((node) => metric(node, 'sticky_store_warnings')))
  trial.expect('so does a metric', now === before! + 1, { before, now })
  await late.kill()
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
