import { randomBytes } from 'node:crypto'

import { LoadPool, type LoadPoolContext } from './load-pool.ts'
import { after } from './load-timers.ts'
import { RedisKeys } from './redis-keys.ts'
import type { RedisLink, RedisLinks } from './redis-link.ts'
import { RedisTurns } from './redis-turns.ts'
import { type Candidate, type LoadTable, type Milliseconds, StoreUnavailable } from './store.ts'

export interface RedisLoadTableOptions {
  /** Start of every key name. */
  readonly prefix: string
  /** How long counts outlive a worker that was killed, 6 s by default. */
  readonly lease?: Milliseconds | undefined
}

const defaultLease: Milliseconds = 6000

/**
 * The load table of a cluster, kept in Redis: exact at the moment of choice, and right again by itself after any crash.
 *
 * A pool costs nothing until it is used here. From then on this worker also clears away the dead workers of that pool.
 */
export class RedisLoadTable implements LoadTable, AsyncDisposable {
  readonly #links: RedisLinks
  readonly #context: Omit<LoadPoolContext, 'run'>
  readonly #pools = new Map<string, LoadPool>()
  readonly #turns = new Map<string, RedisTurns>()

  constructor(links: RedisLinks, options: RedisLoadTableOptions) {
    this.#links = links
    this.#context = {
      keys: new RedisKeys(options.prefix),
      worker: randomBytes(12).toString('base64url'),
      lease: Math.round(options.lease ?? defaultLease),
      timeout: links.commandTimeout,
      after,
    }
  }

  async reserve(pool: string, candidates: readonly Candidate[]): Promise<string | undefined> {
    if (candidates.length === 0) return undefined
    if (!this.#linkOf(pool).available) throw new StoreUnavailable('Redis does not answer')
    return this.#pool(pool).reserve(candidates)
  }

  begin(pool: string, backend: string): void {
    this.#pool(pool).begin(backend)
  }

  end(pool: string, backend: string): void {
    this.#pool(pool).end(backend)
  }

  local(pool: string, backend: string): number {
    return this.#pools.get(pool)?.count(backend) ?? 0
  }

  turn(pool: string, candidates: readonly Candidate[]): Promise<string> {
    return this.#turnsOf(pool).take(candidates)
  }

  charge(pool: string, backend: string, turns: number): void {
    this.#turnsOf(pool).charge(backend, turns)
  }

  /** Other workers' known sessions are at most one report, 10 ms, old; read by another way than reports go, this one's too. */
  async totals(pool: string, links: RedisLinks = this.#links): Promise<Map<string, number>> {
    this.#pool(pool).send()
    const key = this.#context.keys.load(pool)
    const fields = (await links.at(key).call('hgetall', [key])) as readonly Buffer[]
    const totals = new Map<string, number>()
    for (let at = 0; at < fields.length; at += 2) {
      const field = String(fields[at])
      if (field.startsWith('+')) totals.set(field.slice(1), Number(fields[at + 1]))
    }
    return totals
  }

  async reported(): Promise<void> {
    for (const pool of this.#pools.values()) pool.send()
    const links = new Set([...this.#pools.keys()].map((pool) => this.#linkOf(pool)))
    // Answered after what was sent before it.
    await Promise.all([...links].map((link) => link.call('time', [])))
  }

  /** Gives up this worker's leases, so that what it counted is gone at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.leave()))
  }

  #turnsOf(pool: string): RedisTurns {
    let turns = this.#turns.get(pool)
    if (!turns) {
      turns = new RedisTurns(this.#linkOf(pool), this.#context.keys.turns(pool))
      this.#turns.set(pool, turns)
    }
    return turns
  }

  #pool(name: string): LoadPool {
    let pool = this.#pools.get(name)
    if (!pool) {
      pool = this.#open(name)
      this.#pools.set(name, pool)
    }
    return pool
  }

  #open(name: string): LoadPool {
    const link = this.#linkOf(name)
    const pool = new LoadPool(name, {
      ...this.#context,
      run: (script, keys, args) => link.runUntimed(script, keys, args),
      overdue: () => link.overdue(),
    })
    link.onReady(() => pool.reopen())
    link.onLost(() => pool.lose(new Error('the connection to Redis is lost')))
    return pool
  }

  /** All of a pool's load has one hash tag. */
  #linkOf(pool: string): RedisLink {
    return this.#links.at(this.#context.keys.load(pool))
  }
}
