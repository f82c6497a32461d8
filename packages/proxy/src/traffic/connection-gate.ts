import { networkOf } from '../affinity/address-network.ts'
import type { Config } from '../config/config.ts'

/**
 * Why a connection was closed before its client could ask for anything: it was beyond `limits.connections`,
 * `limits.connectionsPerClient` or the process' descriptors, or no TLS was agreed on.
 */
export type ConnectionRefusal = 'limit' | 'client-limit' | 'descriptors' | 'handshake'

/** How many connections a worker may hold, in all and of each client; counts those it turns away. */
export class ConnectionGate {
  readonly #descriptors: number
  readonly #told: (reason: ConnectionRefusal) => void
  readonly #counts: Record<ConnectionRefusal, number> = { limit: 0, 'client-limit': 0, descriptors: 0, handshake: 0 }
  readonly #clients = new Map<string, number>()
  #most = 0
  #mostOfClient: number | undefined
  #scarce: ConnectionRefusal = 'limit'

  /** `descriptors`: connections this process can hold; `told` hears of each it turns away. */
  constructor(descriptors: number, told: (reason: ConnectionRefusal) => void) {
    this.#descriptors = descriptors
    this.#told = told
  }

  /** Takes the limits of a configuration; connections that are open stay. */
  heed({ limits, node }: Pick<Config, 'limits' | 'node'>): void {
    const share = Math.ceil((limits.connections ?? Number.POSITIVE_INFINITY) / node.workers)
    this.#most = Math.min(share, this.#descriptors)
    this.#scarce = share <= this.#descriptors ? 'limit' : 'descriptors'
    this.#mostOfClient = limits.connectionsPerClient
  }

  /** How many it turned away, and why. */
  get counts(): Readonly<Record<ConnectionRefusal, number>> {
    return this.#counts
  }

  /** Are clients' connections counted one by one? */
  get countsClients(): boolean {
    return this.#mostOfClient !== undefined
  }

  /** May one more be held beside so many? */
  admits(open: number): boolean {
    return open < this.#most || this.refuse(this.#scarce)
  }

  /** Counts one more of a client; undefined: it has too many. The answer is for `left`. */
  entered(address: string): string | undefined {
    const client = networkOf(address, { ipv4: 32, ipv6: 64 }) ?? address
    const open = this.#clients.get(client) ?? 0
    if (open >= (this.#mostOfClient ?? Number.POSITIVE_INFINITY)) {
      this.refuse('client-limit')
      return undefined
    }
    this.#clients.set(client, open + 1)
    return client
  }

  /** One of that client is closed. */
  left(client: string): void {
    const open = this.#clients.get(client)! - 1
    if (open > 0) this.#clients.set(client, open)
    else this.#clients.delete(client)
  }

  /** Counts one that is turned away. */
  refuse(reason: ConnectionRefusal): false {
    this.#counts[reason]++
    this.#told(reason)
    return false
  }
}
