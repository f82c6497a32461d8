import { RedisBinds } from './redis-binds.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisLinks } from './redis-link.ts'
import { countSessions, readSessions, sweepSessions } from './redis-listing.ts'
import { RedisLookups } from './redis-lookups.ts'
import { RedisOperatorSessions } from './redis-operator-sessions.ts'
import { RedisRenewals } from './redis-renewals.ts'
import { RedisShard } from './redis-shard.ts'
import { type RedisShards, shardOf } from './redis-shards.ts'
import type {
  Binding,
  CookieRecord,
  CookieRow,
  CookieTable,
  Row,
  SessionFilter,
  SessionKey,
  SessionRow,
  SessionTable,
  Terms,
} from './store.ts'

/** The ways by which sessions are reached: exchanges wait for `requests`, and nobody has to wait behind lists and sweeps. */
export interface SessionLinks {
  readonly requests: RedisLinks
  readonly upkeep: RedisLinks
}

/** Hears which pools are used, and of rows that a touch found gone or changed. */
export interface SessionFeed {
  join(pool: string, shards: number): void
  tell(key: SessionKey, below: number): void
}

/** Sessions and their cookies in Redis. Remembers nothing: what a process knows is the near cache's business. */
export class RedisSessionTable implements SessionTable, CookieTable {
  /** Those of operators, who wait for longer than exchanges do. */
  readonly operators: RedisOperatorSessions
  readonly #links: SessionLinks
  readonly #keys: RedisKeys
  readonly #shards: RedisShards
  readonly #feed: SessionFeed
  readonly #pools = new Map<string, readonly ShardTables[]>()

  constructor(links: SessionLinks, keys: RedisKeys, shards: RedisShards, feed: SessionFeed) {
    this.operators = new RedisOperatorSessions(links.upkeep, keys, shards.by(links.upkeep))
    this.#links = links
    this.#keys = keys
    this.#shards = shards
    this.#feed = feed
  }

  find(key: SessionKey): Promise<Row> {
    const tables = this.#tablesOf(key)
    if (tables instanceof Promise) return tables.then(({ lookups }) => lookups.find(key))
    return tables.lookups.find(key)
  }

  bind(key: SessionKey, backend: string, seen: number, terms: Terms): Promise<Row> {
    const tables = this.#tablesOf(key)
    if (tables instanceof Promise) return tables.then(({ binds }) => binds.bind(key, backend, seen, terms))
    return tables.binds.bind(key, backend, seen, terms)
  }

  touch(key: SessionKey, { version }: Binding): void {
    this.#renew(key, (renewals) => renewals.touch(key, version))
  }

  record(key: SessionKey, cookies: readonly CookieRecord[]): void {
    this.#renew(key, (renewals) => renewals.record(key, cookies))
  }

  end(key: SessionKey, ifVersion?: number): Promise<boolean> {
    return this.operators.end(key, ifVersion)
  }

  move(key: SessionKey, backend: string, ifVersion?: number): Promise<Row> {
    return this.operators.move(key, backend, ifVersion)
  }

  async show(key: SessionKey): Promise<SessionRow | undefined> {
    const shards = await this.#existing(key.pool)
    const home = shards[shardOf(key.id, shards.length)]
    return home && (await readSessions(home.shard, [Buffer.from(key.id, 'base64url')]))[0]
  }

  async of(key: SessionKey): Promise<readonly CookieRow[]> {
    return (await this.show(key))?.cookies ?? []
  }

  list(pool: string, filter?: SessionFilter): AsyncGenerator<SessionRow> {
    return this.operators.list(pool, filter)
  }

  async count(pool: string): Promise<Map<string, number>> {
    return await countSessions((await this.#existing(pool)).map(({ shard }) => shard))
  }

  /** Sweeps one shard of the pool, `turn` by turn another; answers how many sessions it took off its indexes. */
  async sweep(pool: string, turn: number, limit: number): Promise<number> {
    const shards = this.#tables(pool, await this.#shards.confirm(pool))
    return sweepSessions(shards[turn % shards.length]!.upkeep, limit)
  }

  /** At hand once the pool is known: a promise less for each session. */
  #tablesOf(key: SessionKey): ShardTables | Promise<ShardTables> {
    const count = this.#shards.of(key.pool)
    if (typeof count === 'number') return this.#tables(key.pool, count)[shardOf(key.id, count)]!
    return count.then((known) => this.#tables(key.pool, known)[shardOf(key.id, known)]!)
  }

  /** Renewals nobody waits for: without a store they are lost, and their sessions outlive it by their cookies. */
  #renew(key: SessionKey, renew: (renewals: RedisRenewals) => void): void {
    const tables = this.#tablesOf(key)
    if (!(tables instanceof Promise)) {
      renew(tables.renewals)
      return
    }
    tables.then(
      ({ renewals }) => renew(renewals),
      () => {},
    )
  }

  async #existing(pool: string): Promise<readonly ShardTables[]> {
    const count = await this.#shards.existing(pool)
    return count === 0 ? [] : this.#tables(pool, count)
  }

  #tables(pool: string, count: number): readonly ShardTables[] {
    const known = this.#pools.get(pool)
    if (known?.length === count) return known
    const tables = Array.from({ length: count }, (_, number) => this.#open(pool, number))
    this.#pools.set(pool, tables)
    this.#feed.join(pool, count)
    return tables
  }

  #open(pool: string, number: number): ShardTables {
    const shard = new RedisShard(this.#links.requests, this.#keys, pool, number)
    return {
      shard,
      upkeep: new RedisShard(this.#links.upkeep, this.#keys, pool, number),
      lookups: new RedisLookups(shard),
      binds: new RedisBinds(shard),
      renewals: new RedisRenewals(shard, (key, below) => this.#feed.tell(key, below)),
    }
  }
}

interface ShardTables {
  readonly shard: RedisShard
  /** The same by the way of upkeep. */
  readonly upkeep: RedisShard
  readonly lookups: RedisLookups
  readonly binds: RedisBinds
  readonly renewals: RedisRenewals
}
