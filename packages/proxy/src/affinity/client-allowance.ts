import type { Milliseconds } from '@sticky/store'

import { networkOf } from './address-network.ts'
import { Memo } from './memo.ts'
import type { Client } from './strategy.ts'

/** What one client may do in a span of time. */
export interface Allowance {
  readonly count: number
  readonly per: Milliseconds
}

/** What each client has left of its allowance, in this process. */
export class ClientAllowance {
  readonly #allowance: Allowance
  readonly #now: () => Milliseconds
  readonly #clients = new Memo<Span>(mostClients)

  constructor(allowance: Allowance, now: () => Milliseconds) {
    this.#allowance = allowance
    this.#now = now
  }

  /** Has this client nothing left? */
  isSpent(client: Client): boolean {
    return this.#spanOf(client).left <= 0
  }

  spend(client: Client): void {
    this.#spanOf(client).left--
  }

  #spanOf({ address }: Client): Span {
    const network = networkOf(address, oneClient) ?? ''
    const now = this.#now()
    const current = this.#clients.get(network)
    if (current !== undefined && now < current.until) return current
    const span = { until: now + this.#allowance.per, left: this.#allowance.count }
    this.#clients.set(network, span)
    return span
  }
}

interface Span {
  readonly until: Milliseconds
  left: number
}

/** Clients remembered at a time; one that is forgotten begins anew. */
const mostClients = 16_384
/** An IPv6 client has a /64 for itself. */
const oneClient = { ipv4: 32, ipv6: 64 }
