import type { RedisSessionTable } from './redis-session-table.ts'
import type { RedisShards } from './redis-shards.ts'
import type { Milliseconds } from './store.ts'

const interval: Milliseconds = 1000
/** Sessions taken off the indexes in one script call. */
const step = 500
/** Script calls for one pool in one round. */
const steps = 8

/** Frees what ended sessions leave in the indexes, a little each second, one shard after the other. */
export class RedisSweep implements Disposable {
  readonly #sessions: RedisSessionTable
  readonly #shards: RedisShards
  #timer: NodeJS.Timeout | undefined
  #turn = Math.floor(Math.random() * 4096)

  constructor(sessions: RedisSessionTable, shards: RedisShards) {
    this.#sessions = sessions
    this.#shards = shards
    this.#schedule()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#round(), interval * (0.75 + Math.random() / 2)).unref()
  }

  async #round(): Promise<void> {
    const timer = this.#timer
    this.#turn++
    // A round that fails is made up for by the next.
    for (const pool of [...this.#shards.pools()]) await this.#sweep(pool).catch(() => {})
    if (this.#timer === timer) this.#schedule()
  }

  async #sweep(pool: string): Promise<void> {
    for (let i = 0; i < steps; i++) {
      if ((await this.#sessions.sweep(pool, this.#turn, step)) < step) return
    }
  }
}
