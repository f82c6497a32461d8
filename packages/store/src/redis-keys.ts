/** Raised when rows of an older release can no longer be read; both releases then live side by side. */
const layout = 1

/**
 * Every key name of Redis, and the channel.
 *
 * The hash tag is the pool's, with the shard for session rows, so that everything one script touches lives in one slot.
 */
export class RedisKeys {
  readonly #prefix: string
  readonly #channels: 'one' | 'by slot'

  /** Where a cluster has many masters, each channel lies in the slot of those who publish there. */
  constructor(prefix: string, channels: 'one' | 'by slot' = 'one') {
    this.#prefix = `${prefix}:${layout}:`
    this.#channels = channels
  }

  /** Hash: how many shards the pool has; written once. */
  meta(pool: string): string {
    return `${this.#prefix}{${pool}}:meta`
  }

  /** Hash: the pool's totals and leases. */
  load(pool: string): string {
    return `${this.#prefix}{${pool}}:load`
  }

  /** Hash: the turns that each backend of the pool has left, and who had the last. */
  turns(pool: string): string {
    return `${this.#prefix}{${pool}}:turns`
  }

  /** Hash: what one worker has counted in the pool. */
  ledger(pool: string, worker: string): string {
    return `${this.#prefix}{${pool}}:load:${worker}`
  }

  /** What precedes the raw id in the key of a session's row, and the names of what a shard has beside rows. */
  shard(pool: string, shard: number): string {
    return `${this.#prefix}{${pool}:${shard}}:`
  }

  /** String: the shard's epoch. */
  epoch(pool: string, shard: number): string {
    return `${this.shard(pool, shard)}epoch`
  }

  /** Set: ids of backends that have sessions in the shard. */
  backends(pool: string, shard: number): string {
    return `${this.shard(pool, shard)}backends`
  }

  /** Sorted set: raw ids of the backend's sessions in the shard, by deadline. */
  index(pool: string, shard: number, backend: string): string {
    return `${this.shard(pool, shard)}on:${backend}`
  }

  /** Hash: announcement and lease of each node process. No pool id has a colon, so no pool shares this tag. */
  nodes(): string {
    return `${this.#prefix}{:cluster}:nodes`
  }

  /** String: a value all nodes share. */
  secret(name: string): string {
    return `${this.#prefix}{:cluster}:secret:${name}`
  }

  /** Hash: what operators want of each backend, by `<pool>/<backend>`. */
  orders(): string {
    return `${this.#prefix}{:cluster}:orders`
  }

  /** String: the node processes that have passed a barrier; its being there makes it one. */
  barrier(token: string): string {
    return `${this.#prefix}{:cluster}:barrier:${token}`
  }

  /** Channel of changed sessions, of other news, and of the beat that shows it is heard. */
  changes(): string {
    return `${this.#prefix}changes`
  }

  /** Channel of the shard's changed sessions. */
  shardChanges(pool: string, shard: number): string {
    return this.#channels === 'one' ? this.changes() : `${this.shard(pool, shard)}changes`
  }

  /** Channel of what concerns all nodes. */
  clusterChanges(): string {
    return this.#channels === 'one' ? this.changes() : `${this.#prefix}{:cluster}:changes`
  }

  /** Channel of a cluster's master, by a hash tag of one of its slots. */
  masterChanges(tag: string): string {
    return `${this.#prefix}{${tag}}:changes`
  }
}
