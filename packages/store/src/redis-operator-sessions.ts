import type { RedisKeys } from './redis-keys.ts'
import type { RedisLinks } from './redis-link.ts'
import { countSessions, listSessions, readSessions } from './redis-listing.ts'
import { decodeRow } from './redis-row.ts'
import { RedisShard } from './redis-shard.ts'
import { type RedisShards, shardOf } from './redis-shards.ts'
import { sessionScripts } from './session-scripts.ts'
import type { Row, SessionFilter, SessionKey, SessionRow } from './store.ts'

/** Sessions as operators see and change them: by the way of upkeep, on which no exchange waits. */
export class RedisOperatorSessions {
  readonly #links: RedisLinks
  readonly #keys: RedisKeys
  readonly #shards: RedisShards
  readonly #pools = new Map<string, readonly RedisShard[]>()

  /** Both by that way. */
  constructor(upkeep: RedisLinks, keys: RedisKeys, shards: RedisShards) {
    this.#links = upkeep
    this.#keys = keys
    this.#shards = shards
  }

  async end(key: SessionKey, ifVersion = 0): Promise<boolean> {
    const shard = await this.#shardOf(key)
    const args = [shard.channel, shard.pool, Buffer.from(key.id, 'base64url'), ifVersion]
    return Number(await shard.run(sessionScripts.end, [shard.rows, shard.epochKey], args)) === 1
  }

  async move(key: SessionKey, backend: string, ifVersion = 0): Promise<Row> {
    const shard = await this.#shardOf(key)
    const args = [shard.channel, shard.pool, Buffer.from(key.id, 'base64url'), backend, ifVersion]
    const keys = [shard.epochKey, shard.backends, shard.rows]
    const [epoch, row] = (await shard.run(sessionScripts.move, keys, args)) as [Buffer | null, Buffer]
    return decodeRow(row.length > 0 ? row : null, shard.epochOf(epoch))
  }

  async show(key: SessionKey): Promise<SessionRow | undefined> {
    const shards = await this.#existing(key.pool)
    const home = shards[shardOf(key.id, shards.length)]
    return home && (await readSessions(home, [Buffer.from(key.id, 'base64url')]))[0]
  }

  async *list(pool: string, filter: SessionFilter = {}): AsyncGenerator<SessionRow> {
    for (const shard of await this.#existing(pool)) yield* listSessions(shard, filter)
  }

  async count(pool: string): Promise<Map<string, number>> {
    return await countSessions(await this.#existing(pool))
  }

  async #shardOf({ pool, id }: SessionKey): Promise<RedisShard> {
    const count = await this.#shards.of(pool)
    return this.#open(pool, count)[shardOf(id, count)]!
  }

  async #existing(pool: string): Promise<readonly RedisShard[]> {
    const count = await this.#shards.existing(pool)
    return count === 0 ? [] : this.#open(pool, count)
  }

  #open(pool: string, count: number): readonly RedisShard[] {
    const known = this.#pools.get(pool)
    if (known?.length === count) return known
    const shards = Array.from({ length: count }, (_, at) => new RedisShard(this.#links, this.#keys, pool, at))
    this.#pools.set(pool, shards)
    return shards
  }
}
