import type { RedisKeys } from './redis-keys.ts'
import type { RedisLink, RedisLinks } from './redis-link.ts'
import type { MaybePromise } from './store.ts'

/** How many shards each pool has: written once by whoever uses the pool first, obeyed by all. */
export class RedisShards {
  readonly #links: RedisLinks
  readonly #keys: RedisKeys
  readonly #wanted: number
  readonly #watched = new Set<string>()
  readonly #counts = new Map<string, MaybePromise<number>>()

  /** `wanted` is what a pool gets that has no number of shards yet. */
  constructor(links: RedisLinks, keys: RedisKeys, wanted: number) {
    this.#links = links
    this.#keys = keys
    this.#wanted = wanted
  }

  /** The same by another way, as whoever goes it has found out. */
  by(links: RedisLinks): RedisShards {
    return new RedisShards(links, this.#keys, this.#wanted)
  }

  /** The pools used by this process. */
  pools(): Iterable<string> {
    return this.#counts.keys()
  }

  /** The pool's number of shards. */
  of(pool: string): MaybePromise<number> {
    return this.#counts.get(pool) ?? this.confirm(pool)
  }

  /** Asks again, and writes the number again in a store that forgot. */
  confirm(pool: string): Promise<number> {
    const asked = this.#ask(pool)
    if (!this.#counts.has(pool)) this.#counts.set(pool, asked)
    asked.then(
      (count) => this.#counts.set(pool, count),
      () => this.#counts.get(pool) === asked && this.#counts.delete(pool),
    )
    return asked
  }

  /** The pool's number of shards, without making one up for a pool nobody uses: 0. */
  async existing(pool: string): Promise<number> {
    const meta = this.#keys.meta(pool)
    const held = await this.#links.at(meta).call('hget', [meta, 'shards'])
    return held === null ? 0 : Number(String(held))
  }

  async #ask(pool: string): Promise<number> {
    const meta = this.#keys.meta(pool)
    const link = this.#links.at(meta)
    this.#watch(pool, link)
    // A full store refuses this, and still has sessions to read.
    const written = link.call('hsetnx', [meta, 'shards', this.#wanted]).catch(() => {})
    const [held] = await Promise.all([link.call('hget', [meta, 'shards']), written])
    return held === null ? this.#wanted : Number(String(held))
  }

  /** A store that forgot may have been given another number meanwhile. */
  #watch(pool: string, link: RedisLink): void {
    if (this.#watched.has(pool)) return
    this.#watched.add(pool)
    link.onReady(() => this.#counts.delete(pool))
  }
}

/** The shard of a session: its id is random or a keyed fingerprint, so any bits of it spread evenly. */
export function shardOf(id: string, shards: number): number {
  return shards === 1 ? 0 : Buffer.from(id.slice(0, 4), 'base64url').readUIntBE(0, 3) % shards
}
