import type { MaybePromise, SessionKey } from '@sticky/store'

import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import type { AffinityStrategy, OutgoingRequest, PersistenceCode, Session, Verdict } from './strategy.ts'

/** A session one strategy of a chain recognised; the others only hide what is theirs, and say how its backend knows the request. */
export class ConcealingSession implements Session {
  readonly #session: Session
  readonly #others: readonly AffinityStrategy[]

  constructor(session: Session, others: readonly AffinityStrategy[]) {
    this.#session = session
    this.#others = others
  }

  get known(): boolean {
    return this.#session.known
  }

  get home(): readonly string[] {
    return this.#session.home
  }

  get key(): SessionKey | undefined {
    return this.#session.key
  }

  get persistence(): PersistenceCode {
    return this.#session.persistence
  }

  get reason(): string {
    return this.#session.reason
  }

  get verdict(): Verdict | undefined {
    return this.#session.verdict
  }

  get whenAway(): RefusalCode | undefined {
    return this.#session.whenAway
  }

  get maxSkew(): number | undefined {
    return this.#session.maxSkew
  }

  get awaitsBody(): boolean {
    return this.#session.awaitsBody ?? false
  }

  dispatched(to: Backend, request: OutgoingRequest): void {
    this.#session.dispatched?.(to, request)
    for (const other of this.#others) {
      other.conceal?.(request)
      other.adapt?.(request, to)
    }
  }

  served(by: Backend, response: ResponseHead): MaybePromise<boolean> {
    return this.#session.served(by, response)
  }

  heard(by: Backend, piece: Buffer): MaybePromise<void> {
    return this.#session.heard?.(by, piece)
  }
}
