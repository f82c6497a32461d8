import type { Milliseconds } from '@sticky/store'

import type { PersistenceKeyConfig } from '../config/config.ts'
import { networkOf } from './address-network.ts'
import { Memo } from './memo.ts'
import type { Client } from './strategy.ts'

/** Why a session was not begun: its client began too many, or the pool has too many. */
export type SessionRefusal = 'client-limit' | 'pool-limit'

/** What a quota draws on. */
export interface QuotaServices {
  now(): Milliseconds
  /** Live sessions of the pool in the whole cluster. Never rejects; undefined when they cannot be counted. */
  count(): Promise<number | undefined>
}

/** Limits how many sessions begin, so that values which change with every request cannot fill the store. */
export class KeyQuota {
  readonly #limits: Pick<PersistenceKeyConfig, 'newPerClient' | 'maxSessions'>
  readonly #services: QuotaServices
  readonly #clients = new Memo<Allowance>(mostClients)
  /** The last count, and what began here since it was asked for. */
  #counted = 0
  #begun = 0
  #askedAt: Milliseconds = -Infinity

  constructor(limits: Pick<PersistenceKeyConfig, 'newPerClient' | 'maxSessions'>, services: QuotaServices) {
    this.#limits = limits
    this.#services = services
  }

  /** Counts a session that is to begin, or tells why it must not; `giver` is the client whose request gave its key. */
  refuses(giver: Client | undefined): SessionRefusal | undefined {
    this.#askAgain()
    if (this.#counted + this.#begun >= this.#limits.maxSessions) return 'pool-limit'
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
    if (counted === undefined) return
    this.#counted = counted
    this.#begun -= begunBefore
  }

  #allows({ address }: Client): boolean {
    const limit = this.#limits.newPerClient
    if (limit === undefined) return true
    const network = networkOf(address, oneClient) ?? ''
    const now = this.#services.now()
    let allowance = this.#clients.get(network)
    if (allowance === undefined || now >= allowance.until) {
      allowance = { until: now + limit.per, left: limit.count }
      this.#clients.set(network, allowance)
    }
    return allowance.left-- > 0
  }
}

interface Allowance {
  readonly until: Milliseconds
  left: number
}

const freshFor: Milliseconds = 1000
/** Clients remembered at a time; one that is forgotten begins anew, and the pool's limit remains. */
const mostClients = 16_384
/** An IPv6 client has a /64 for itself. */
const oneClient = { ipv4: 32, ipv6: 64 }
