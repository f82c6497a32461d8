import type { RedisArgument } from './redis-connection.ts'
import { ShardEpoch } from './redis-epoch.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisLink, RedisLinks } from './redis-link.ts'
import type { Script } from './redis-scripts.ts'
import type { SessionKey } from './store.ts'

/** Tells that what is held of a session below a version is not in force; 0: its row was not found, and is to be read again. */
export type StaleListener = (key: SessionKey, below: number) => void

/** The rows of one pool under one hash tag: names, epoch, and the way there. */
export class RedisShard {
  readonly connection: RedisLink
  readonly pool: string
  readonly channel: string
  readonly backends: string
  /** What precedes the raw id in a row's key, and `on:<backend>` in an index's. */
  readonly rows: string
  readonly epochKey: string
  readonly #rowsBytes: Buffer
  readonly #epoch = new ShardEpoch()

  constructor(links: RedisLinks, keys: RedisKeys, pool: string, shard: number) {
    this.pool = pool
    this.channel = keys.shardChanges(pool, shard)
    this.backends = keys.backends(pool, shard)
    this.rows = keys.shard(pool, shard)
    this.epochKey = keys.epoch(pool, shard)
    this.connection = links.at(this.epochKey)
    this.#rowsBytes = Buffer.from(this.rows)
  }

  run(script: Script, keys: readonly RedisArgument[], args: readonly RedisArgument[]): Promise<unknown> {
    return this.connection.run(script, keys, args)
  }

  /** The epoch that counts where this is what the shard's key holds. */
  epochOf(held: Buffer | null): number {
    return this.#epoch.read(held, this.connection.runId)
  }

  /** The rows of these ids, null for none, and the shard's epoch as of the same moment. */
  async read(ids: readonly Buffer[]): Promise<{ epoch: number; rows: readonly (Buffer | null)[] }> {
    const keys = ids.map((id) => Buffer.concat([this.#rowsBytes, id]))
    const [held, ...rows] = (await this.connection.call('mget', [this.epochKey, ...keys])) as (Buffer | null)[]
    return { epoch: this.epochOf(held ?? null), rows }
  }
}
