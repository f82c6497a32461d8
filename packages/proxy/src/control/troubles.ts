import type { Milliseconds } from '@sticky/store'

import type { ConnectionRefusal } from '../traffic/connection-gate.ts'
import type { Backend } from '../upstream/backend.ts'
import type { Log } from './log.ts'
import type { Sample } from './metric.ts'

/** A line about the same is written once in so long, however often it happens. */
const pause: Milliseconds = 60_000

/** What goes wrong on connections, often and for the same reason: counted, and logged once a minute. */
export class ConnectionTroubles {
  readonly #log: Log
  readonly #now: () => Milliseconds
  /** When a kind was logged last, and how often it happened since. */
  readonly #told = new Map<string, { at: Milliseconds; since: number }>()
  readonly #insecure = new Map<string, { readonly pool: string; readonly backend: string; count: number }>()

  /** `now` is monotonic. */
  constructor(log: Log, now: () => Milliseconds) {
    this.#log = log
    this.#now = now
  }

  /** A client's connection was turned away. Handshakes fail all the time, for reasons of clients. */
  readonly turnedAway = (reason: ConnectionRefusal): void => {
    if (reason !== 'handshake') this.#tell('connections refused', reason, { reason })
  }

  /** The system had none to give. */
  readonly acceptFailed = (error: unknown): void => {
    const { code } = Object(error) as NodeJS.ErrnoException
    this.#tell('accept failed', code ?? '', { code })
  }

  /** No connection to that backend is secure. */
  readonly insecure = ({ pool, id: backend }: Backend, reason: string): void => {
    const key = `${pool}/${backend}`
    const counted = this.#insecure.get(key) ?? { pool, backend, count: 0 }
    counted.count++
    this.#insecure.set(key, counted)
    this.#tell('backend not secure', key, { pool, backend, reason: reason.slice(0, 500) })
  }

  /** How often no connection to a backend was secure. */
  insecureSamples(): Sample[] {
    return Array.from(this.#insecure.values(), ({ count, ...labels }) => ({ labels, value: count }))
  }

  #tell(event: string, kind: string, fields: object): void {
    const key = `${event} ${kind}`
    const last = this.#told.get(key)
    if (last !== undefined && this.#now() - last.at < pause) {
      last.since++
      return
    }
    this.#told.set(key, { at: this.#now(), since: 0 })
    this.#log.warn({ ...fields, ...(last && last.since > 0 ? { unlogged: last.since } : {}) }, event)
  }
}
