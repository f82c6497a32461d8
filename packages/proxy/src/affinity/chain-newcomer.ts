import type { MaybePromise, SessionKey } from '@sticky/store'

import type { Backend } from '../upstream/backend.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import type { OutgoingRequest, PersistenceCode, Session } from './strategy.ts'

const nowhere: readonly string[] = []

/** A request no strategy of a chain recognised; `sessions` are what each of them made of it, in their order. */
export class ChainNewcomer implements Session {
  readonly known = false
  readonly home: readonly string[]
  readonly maxSkew: number | undefined
  readonly #sessions: readonly Session[]
  #taker: Session | undefined

  constructor(sessions: readonly Session[]) {
    // One may say where a newcomer is to live, for another to begin its session there.
    const guide = sessions.find(({ home }) => home.length > 0)
    this.home = guide?.home ?? nowhere
    this.maxSkew = guide?.maxSkew
    this.#sessions = sessions
  }

  get key(): SessionKey | undefined {
    return this.#taker?.key
  }

  /** The taker's, else that of the first strategy the request had something for. */
  get persistence(): PersistenceCode {
    const told = this.#taker ?? this.#sessions.find(({ persistence }) => persistence !== 'NN')
    return told?.persistence ?? 'NN'
  }

  /** A line for each strategy. */
  get reason(): string {
    return this.#sessions.map(({ reason }) => reason).join('\n')
  }

  /** One that was offered the response before another took it may still learn from its body. */
  get awaitsBody(): boolean {
    return this.#sessions.some((session) => session.awaitsBody)
  }

  dispatched(to: Backend, request: OutgoingRequest): void {
    for (const session of this.#sessions) session.dispatched?.(to, request)
  }

  served(by: Backend, response: ResponseHead): MaybePromise<boolean> {
    for (const [index, session] of this.#sessions.entries()) {
      const taken = session.served(by, response)
      if (taken instanceof Promise) return this.#servedLater(index, taken, by, response)
      if (taken) return this.#takenBy(session)
    }
    return false
  }

  async #servedLater(index: number, pending: Promise<boolean>, by: Backend, response: ResponseHead): Promise<boolean> {
    if (await pending) return this.#takenBy(this.#sessions[index]!)
    for (const session of this.#sessions.slice(index + 1)) {
      if (await session.served(by, response)) return this.#takenBy(session)
    }
    return false
  }

  #takenBy(session: Session): true {
    this.#taker = session
    return true
  }

  async heard(by: Backend, piece: Buffer): Promise<void> {
    for (const session of this.#sessions) if (session.awaitsBody) await session.heard?.(by, piece)
  }
}
