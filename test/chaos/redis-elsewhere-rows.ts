import { Redis } from 'ioredis'

import { type RedisClusterNodes, startRedisCluster } from '../support/redis-cluster-nodes.ts'
import { startSentinelRedis } from '../support/redis-sentinel.ts'
import { expectQuiet } from './counts.ts'
import type { Row } from './row.ts'
import { POOL, readiness, Stage, sessions } from './stage.ts'
import type { Trial } from './trial.ts'

/** Redis, where more than one server holds it and one of them dies. */
export const redisElsewhereRows: readonly Row[] = [
  {
    number: 5,
    name: 'Redis failover by Sentinel',
    does: 'a master, a replica, three sentinels; kill -9 of the master',
    passes: 'no error, nobody moved, not even of the last second; as before within 5 s',
    async run(trial) {
      const redis = trial.stack.use(await startSentinelRedis())
      const stage = trial.stack.use(await Stage.open({ store: { url: redis.url } }))
      const load = stage.load()
      await trial.under(load)
      await trial.fault(() => redis.master.kill())
      await expectAsBefore(trial, stage, load.clients.length)
      await trial.stands()
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes)
    },
  },
  {
    number: 6,
    name: 'Redis Cluster loses a master',
    does: 'three masters with a replica each, a pool of 8 shards; a slot is moved, then kill -9 of a master that holds another',
    passes: 'no error, nobody moved; as before within 5 s',
    async run(trial) {
      const redis = trial.stack.use(await startRedisCluster({ masters: 3, replicas: 1 }))
      const stage = trial.stack.use(await Stage.open({ store: { url: redis.url, shards: 8 } }))
      const load = stage.load()
      await trial.under(load)
      await moveShard(redis)
      const doomed = redis.masters[await holderOf(redis, 1)]!
      await trial.fault(() => doomed.kill())
      await expectAsBefore(trial, stage, load.clients.length)
      await trial.stands()
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes)
    },
  },
]

/** Within 5 s every node reaches all of Redis, and finds the sessions of all clients that stay. */
async function expectAsBefore(trial: Trial, { nodes }: Stage, clients: number): Promise<void> {
  const found = () =>
    Promise.all(nodes.map(async (node) => ({ ...(await readiness(node)), count: await sessions(node) })))
  const isWell = (all: Awaited<ReturnType<typeof found>>) =>
    all.every(({ status, count }) => status === 200 && count >= clients)
  await trial.recovers('all of the table is there again', found, isWell, 5_000)
}

/** Gives the slot of the pool's first shard to the next master, keys and all, as `redis-cli --cluster reshard` does. */
async function moveShard(redis: RedisClusterNodes): Promise<void> {
  const slot = await slotOf(redis, 0)
  const from = await holderOf(redis, 0)
  const to = (from + 1) % redis.masters.length
  const [source, target] = [redis.masters[from]!, redis.masters[to]!]
  const ids = await Promise.all([source, target].map((master) => redis.ask(master, 'cluster', 'myid')))
  const [sourceId, targetId] = ids.map(String) as [string, string]
  await redis.ask(target, 'cluster', 'setslot', slot, 'importing', sourceId)
  await redis.ask(source, 'cluster', 'setslot', slot, 'migrating', targetId)
  const keys = new Redis(source.url)
  try {
    for (;;) {
      const some = await keys.callBuffer('cluster', 'getkeysinslot', `${slot}`, '100')
      if ((some as Buffer[]).length === 0) break
      await keys.callBuffer('migrate', '127.0.0.1', `${target.port}`, '', '0', '1000', 'keys', ...(some as Buffer[]))
    }
  } finally {
    keys.disconnect()
  }
  for (const master of [target, source, ...redis.masters])
    await redis.ask(master, 'cluster', 'setslot', slot, 'node', targetId)
}

/** Which master serves that shard of the pool. */
async function holderOf(redis: RedisClusterNodes, shard: number): Promise<number> {
  const slot = await slotOf(redis, shard)
  const owners = await Promise.all(redis.masters.map((master) => redis.ask(master, 'cluster', 'nodes')))
  return owners.findIndex((nodes) => holds(String(nodes), slot))
}

async function slotOf(redis: RedisClusterNodes, shard: number): Promise<number> {
  return Number(await redis.ask(redis.masters[0]!, 'cluster', 'keyslot', `{${POOL}:${shard}}`))
}

/** Does the node whose `cluster nodes` this is serve that slot itself? */
function holds(nodes: string, slot: number): boolean {
  const own = nodes.split('\n').find((line) => line.includes('myself'))
  return (own?.split(' ').slice(8) ?? []).some((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return slot >= first! && slot <= last!
  })
}
