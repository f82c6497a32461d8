import { randomBytes } from 'node:crypto'

import { LoadCaller, type LoadCallerContext } from './load-caller.ts'
import { after } from './load-timers.ts'
import type { RedisConnection } from './redis-connection.ts'
import { RedisKeys } from './redis-keys.ts'
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
  readonly #connection: RedisConnection
  readonly #context: LoadCallerContext
  readonly #callers = new Map<string, LoadCaller>()

  constructor(connection: RedisConnection, options: RedisLoadTableOptions) {
    this.#connection = connection
    this.#context = {
      run: (script, keys, args) => connection.runUntimed(script, keys, args),
      keys: new RedisKeys(options.prefix),
      worker: randomBytes(12).toString('base64url'),
      lease: Math.round(options.lease ?? defaultLease),
      timeout: connection.commandTimeout,
      after,
    }
    connection.onReady(() => this.#each((caller) => caller.reopen()))
    connection.onLost(() => this.#each((caller) => caller.lose(new Error('the connection to Redis is lost'))))
  }

  async reserve(pool: string, candidates: readonly Candidate[]): Promise<string | undefined> {
    if (candidates.length === 0) return undefined
    if (!this.#connection.available) throw new StoreUnavailable('Redis does not answer')
    return this.#caller(pool).reserve(candidates)
  }

  begin(pool: string, backend: string): void {
    this.#caller(pool).begin(backend)
  }

  end(pool: string, backend: string): void {
    this.#caller(pool).end(backend)
  }

  local(pool: string, backend: string): number {
    return this.#callers.get(pool)?.ledger.count(backend) ?? 0
  }

  /** Other workers' known sessions are at most one report, 10 ms, old. */
  async totals(pool: string): Promise<Map<string, number>> {
    this.#caller(pool).report()
    const fields = (await this.#connection.call('hgetall', [this.#context.keys.load(pool)])) as readonly Buffer[]
    const totals = new Map<string, number>()
    for (let at = 0; at < fields.length; at += 2) {
      const field = String(fields[at])
      if (field.startsWith('+')) totals.set(field.slice(1), Number(fields[at + 1]))
    }
    return totals
  }

  /** Gives up this worker's leases, so that what it counted is gone at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#callers.values()].map((caller) => caller.leave()))
  }

  #each(tell: (caller: LoadCaller) => void): void {
    for (const caller of this.#callers.values()) tell(caller)
  }

  #caller(pool: string): LoadCaller {
    let caller = this.#callers.get(pool)
    if (!caller) {
      caller = new LoadCaller(pool, this.#context)
      this.#callers.set(pool, caller)
    }
    return caller
  }
}
