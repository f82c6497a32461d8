import { type Binding, type Milliseconds, type SessionKey, StoreUnavailable } from '@sticky/store'

import { ClientAllowance } from './client-allowance.ts'
import { Memo } from './memo.ts'
import type { AffinityServices } from './registry.ts'
import type { Client } from './strategy.ts'

/** A live session that a recovery row leads to. */
export interface Found {
  readonly key: SessionKey
  readonly row: Binding
}

const prefix = 'recover:'

/** The source of a recovery row, which names its session. */
export function sourceOf(session: SessionKey): string {
  return prefix + session.id
}

/** Reads recovery rows from the store, and bounds what values that lead nowhere cost it. */
export class RecoverySearch {
  readonly #services: AffinityServices
  /** Until when a row's key is taken to lead nowhere. */
  readonly #nowhere = new Memo<Milliseconds>(16_384)
  readonly #fruitless: ClientAllowance

  constructor(services: AffinityServices) {
    this.#services = services
    this.#fruitless = new ClientAllowance(mostFruitless, () => services.store.now())
  }

  /** The session that the row leads to. Undefined too while the store is away, or if the client asked in vain too often. */
  async find(row: SessionKey, client: Client): Promise<Found | undefined> {
    if (this.#now() < (this.#nowhere.get(row.id) ?? 0) || this.#fruitless.isSpent(client)) return undefined
    try {
      const found = await this.#read(row)
      if (found === undefined) this.#noteNowhere(row, client)
      return found
    } catch (cause) {
      if (cause instanceof StoreUnavailable) return undefined
      throw cause
    }
  }

  /** From now on the row leads somewhere. */
  taught(row: SessionKey): void {
    if (this.#nowhere.get(row.id) !== undefined) this.#nowhere.set(row.id, 0)
  }

  async #read(at: SessionKey): Promise<Found | undefined> {
    const { sessions } = this.#services.store
    const recovery = await sessions.show(at)
    if (recovery === undefined) return undefined
    const key = { pool: this.#services.pool, id: recovery.source.slice(prefix.length) }
    const row = await sessions.find(key, 0)
    return row.state === 'bound' ? { key, row } : undefined
  }

  #noteNowhere(row: SessionKey, client: Client): void {
    this.#nowhere.set(row.id, this.#now() + forgetsAfter)
    this.#fruitless.spend(client)
  }

  #now(): Milliseconds {
    return this.#services.store.now()
  }
}

// Another node may be told of the value meanwhile, and its client lose our cookie: seldom within a second.
const forgetsAfter: Milliseconds = 1000
const mostFruitless = { count: 600, per: 60_000 }
