import { decodeSession } from './redis-row.ts'
import type { RedisShard } from './redis-shard.ts'
import { matches } from './session-filter.ts'
import { sessionScripts } from './session-scripts.ts'
import type { SessionFilter, SessionRow } from './store.ts'

/** The whole rows of these ids, for people; undefined for those that are not live. */
export async function readSessions(shard: RedisShard, ids: readonly Buffer[]): Promise<(SessionRow | undefined)[]> {
  const { epoch, rows } = await shard.read(ids)
  const now = shard.connection.now()
  return rows.map((row, i) => decodeSession({ pool: shard.pool, id: ids[i]!.toString('base64url') }, row, epoch, now))
}

/** Live sessions of all these shards by backend id. */
export async function countSessions(shards: readonly RedisShard[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const counted of await Promise.all(shards.map(countShard))) {
    for (const [backend, count] of counted) counts.set(backend, (counts.get(backend) ?? 0) + count)
  }
  return counts
}

async function countShard(shard: RedisShard): Promise<ReadonlyMap<string, number>> {
  const reply = (await shard.run(sessionScripts.count, [shard.backends, shard.rows], [])) as (Buffer | number)[]
  const counts = new Map<string, number>()
  for (let i = 0; i < reply.length; i += 2) counts.set(String(reply[i]), Number(reply[i + 1]))
  return counts
}

/** Every live session of the shard at least once, a page of ids and rows in memory at a time. */
export async function* listSessions(shard: RedisShard, filter: SessionFilter): AsyncGenerator<SessionRow> {
  const backends = filter.backend === undefined ? await backendsOf(shard) : [filter.backend]
  for (const backend of backends) {
    for await (const ids of idsOn(shard, backend)) {
      for (const row of await readSessions(shard, ids)) {
        if (row && matches(row, filter, shard.connection.now())) yield row
      }
    }
  }
}

/** Takes at most `limit` sessions past their deadline off the shard's indexes; answers how many there were. */
export async function sweepSessions(shard: RedisShard, limit: number): Promise<number> {
  return Number(await shard.run(sessionScripts.sweep, [shard.backends, shard.rows], [limit]))
}

async function backendsOf(shard: RedisShard): Promise<string[]> {
  return ((await shard.connection.call('smembers', [shard.backends])) as Buffer[]).map(String)
}

/** ZSCAN rather than ranges: a touch moves a session in rank and score, and it would be missed. */
async function* idsOn(shard: RedisShard, backend: string): AsyncGenerator<Buffer[]> {
  let cursor = '0'
  do {
    const reply = await shard.connection.call('zscan', [`${shard.rows}on:${backend}`, cursor, 'COUNT', 100])
    const [next, pairs] = reply as [Buffer, Buffer[]]
    cursor = String(next)
    const ids = pairs.filter((_, i) => i % 2 === 0)
    if (ids.length > 0) yield ids
  } while (cursor !== '0')
}
