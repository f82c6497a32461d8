import { Redis } from 'ioredis'

import { type RedisClusterNodes, startRedisCluster } from '../support/redis-cluster-nodes.ts'
import { startSentinelRedis } from '../support/redis-sentinel.ts'
import type { Row } from './row.ts'
import { inFlight, POOL, Stage, sessions } from './stage.ts'
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
      const counts = () => Promise.all(stage.nodes.map(sessions))
      const full = (answers: readonly number[]) => answers.every((count) => count >= load.clients.length)
      await trial.recovers('the table is there again', counts, full, 5_000)
      await trial.stands()
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, stage)
    },
  },
  {
    number: 6,
    name: 'Redis Cluster loses a master',
    does: 'three masters with a replica each, a pool of 8 shards; a slot is moved, then kill -9 of one master',
    passes: 'no error, nobody moved; as before within 5 s',
    async run(trial) {
      const redis = trial.stack.use(await startRedisCluster({ masters: 3, replicas: 1 }))
      const stage = trial.stack.use(await Stage.open({ store: { url: redis.url, shards: 8 } }))
      const load = stage.load()
      await trial.under(load)
      await moveShard(redis)
      await trial.fault(() => redis.masters[2]!.kill())
      const counts = () => Promise.all(stage.nodes.map(sessions))
      const full = (answers: readonly number[]) => answers.every((count) => count >= load.clients.length)
      await trial.recovers('every shard is there again', counts, full, 8_000)
      await trial.stands()
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, stage)
    },
  },
]

async function expectQuiet(trial: Trial, { nodes }: Stage): Promise<void> {
  const counts = () => Promise.all(nodes.map(inFlight))
  await trial.within('in quiet the counts are 0', counts, (all) => all.every((count) => count === 0), 3_000)
}

/** Gives the slot of the pool's first shard to the next master, keys and all, as `redis-cli --cluster reshard` does. */
async function moveShard(redis: RedisClusterNodes): Promise<void> {
  const slot = Number(await redis.ask(redis.masters[0]!, 'cluster', 'keyslot', `{${POOL}:0}`))
  const owners = await Promise.all(redis.masters.map((master) => redis.ask(master, 'cluster', 'nodes')))
  const from = owners.findIndex((nodes) => holds(String(nodes), slot))
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

/** Does the node whose `cluster nodes` this is serve that slot itself? */
function holds(nodes: string, slot: number): boolean {
  const own = nodes.split('\n').find((line) => line.includes('myself'))
  return (own?.split(' ').slice(8) ?? []).some((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return slot >= first! && slot <= last!
  })
}
