import type { Milliseconds } from '@sticky/store'

import type { SessionQuotaConfig } from '../config/config.ts'
import { ClientAllowance } from './client-allowance.ts'
import type { AffinityServices } from './registry.ts'
import type { Client } from './strategy.ts'
import { orAway } from './unasked.ts'

/** Why a session was not begun: its client began too many, or the pool has too many. */
export type SessionRefusal = 'client-limit' | 'pool-limit'

/** What a quota draws on. */
export interface QuotaServices {
  now(): Milliseconds
  /** Live sessions of the pool in the whole cluster. Never rejects; undefined when they cannot be counted. */
  count(): Promise<number | undefined>
}

/** The quota of a pool's sessions in that table. */
export function quotaOf(config: SessionQuotaConfig, table: string, { store }: AffinityServices): SessionQuota {
  return new SessionQuota(config, { now: () => store.now(), count: () => countIn(table, store) })
}

async function countIn(table: string, { sessions }: AffinityServices['store']): Promise<number | undefined> {
  const counts = await orAway(sessions.count(table))
  return counts && [...counts.values()].reduce((total, count) => total + count, 0)
}

/** Limits how many sessions begin, so that clients which are new with every request cannot fill the store. */
export class SessionQuota {
  readonly #maxSessions: number
  readonly #services: QuotaServices
  /** Undefined: clients begin as many as they like. */
  readonly #clients: ClientAllowance | undefined
  /** What began here, ever; and how many more, or fewer, there were when they were counted last. */
  #begun = 0
  #others = 0
  #askedAt: Milliseconds = -Infinity

  constructor({ newPerClient, maxSessions }: SessionQuotaConfig, services: QuotaServices) {
    this.#maxSessions = maxSessions
    this.#services = services
    this.#clients = newPerClient && new ClientAllowance(newPerClient, () => services.now())
  }

  /** Counts a session that is to begin, or tells why it must not; `giver` is the client whose request begins it. */
  refuses(giver: Client | undefined): SessionRefusal | undefined {
    this.#askAgain()
    if (this.#others + this.#begun >= this.#maxSessions) return 'pool-limit'
    if (giver !== undefined && !this.#allows(giver)) return 'client-limit'
    this.#begun++
    return undefined
  }

  /** Nobody waits for the answer: it counts from the moment it comes. */
  #askAgain(): void {
    const now = this.#services.now()
    if (now - this.#askedAt < freshFor) return
    this.#askedAt = now
    this.#count(this.#begun)
  }

  async #count(begunBefore: number): Promise<void> {
    const counted = await this.#services.count()
    if (counted !== undefined) this.#others = counted - begunBefore
  }

  #allows(client: Client): boolean {
    if (this.#clients === undefined) return true
    if (this.#clients.isSpent(client)) return false
    this.#clients.spend(client)
    return true
  }
}

const freshFor: Milliseconds = 1000
