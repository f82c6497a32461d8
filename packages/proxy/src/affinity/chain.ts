import type { MaybePromise, SessionKey } from '@sticky/store'
import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import type {
  AffinityStrategy,
  Client,
  MatchedUri,
  OutgoingRequest,
  PersistenceCode,
  Session,
  Verdict,
} from './strategy.ts'

/**
 * A chain of strategies is itself a strategy: the first that recognises the request wins, and a newcomer's response is
 * offered down the chain until one takes the session. An empty chain knows nobody and binds nothing.
 */
export function chain(strategies: readonly AffinityStrategy[]): AffinityStrategy {
  if (strategies.length === 0) return { locate: () => stranger }
  return strategies.length === 1 ? strategies[0]! : new Chain(strategies)
}

const stranger: Session = {
  known: false,
  home: [],
  key: undefined,
  persistence: 'NN',
  reason: 'the pool has no affinity',
  served: () => false,
}

/** What strategies are asked about. */
interface Asked {
  readonly request: RequestHead
  readonly client: Client
  readonly uri: MatchedUri
}

class Chain implements AffinityStrategy {
  readonly #strategies: readonly AffinityStrategy[]

  constructor(strategies: readonly AffinityStrategy[]) {
    this.#strategies = strategies
  }

  locate(request: RequestHead, client: Client, uri: MatchedUri): MaybePromise<Session> {
    return this.#locateFrom(0, { request, client, uri }, [], undefined)
  }

  conceal(request: OutgoingRequest): void {
    for (const strategy of this.#strategies) strategy.conceal?.(request)
  }

  /** `strangers` are the sessions that strategies before `next` made of a request they did not recognise. */
  #locateFrom(
    next: number,
    asked: Asked,
    strangers: readonly Session[],
    failure: Error | undefined,
  ): MaybePromise<Session> {
    const strategy = this.#strategies[next]
    if (strategy === undefined) return failure === undefined ? new Newcomer(strangers) : Promise.reject(failure)
    const decide = (session: Session): MaybePromise<Session> =>
      session.known
        ? new Recognised(session, (outgoing) => this.#concealOthers(next, outgoing))
        : this.#locateFrom(next + 1, asked, [...strangers, session], failure)
    const found = strategy.locate(asked.request, asked.client, asked.uri)
    if (!(found instanceof Promise)) return decide(found)
    // One that cannot tell may leave it to another that can; only if nobody recognises the request does its failure count.
    return found.then(decide, (cause: Error) => this.#locateFrom(next + 1, asked, strangers, failure ?? cause))
  }

  #concealOthers(index: number, request: OutgoingRequest): void {
    for (const [other, strategy] of this.#strategies.entries()) if (other !== index) strategy.conceal?.(request)
  }
}

/** A session one strategy recognised; the others only hide what is theirs. */
class Recognised implements Session {
  readonly known = true
  readonly #session: Session
  readonly #concealOthers: (request: OutgoingRequest) => void

  constructor(session: Session, concealOthers: (request: OutgoingRequest) => void) {
    this.#session = session
    this.#concealOthers = concealOthers
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
    this.#concealOthers(request)
  }

  served(by: Backend, response: ResponseHead): MaybePromise<boolean> {
    return this.#session.served(by, response)
  }

  heard(by: Backend, piece: Buffer): MaybePromise<void> {
    return this.#session.heard?.(by, piece)
  }
}

/** A request no strategy recognised. */
class Newcomer implements Session {
  readonly known = false
  readonly home: readonly string[] = []
  readonly #sessions: readonly Session[]
  #taker: Session | undefined

  constructor(sessions: readonly Session[]) {
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

  get reason(): string {
    return this.#sessions.map(({ reason }) => reason).join('; ')
  }

  /** One that was offered the response before another took it may still learn from its body. */
  get awaitsBody(): boolean {
    return this.#sessions.some((session) => session.awaitsBody)
  }

  dispatched(to: Backend, request: OutgoingRequest): void {
    for (const session of this.#sessions) session.dispatched?.(to, request)
  }

  async served(by: Backend, response: ResponseHead): Promise<boolean> {
    for (const session of this.#sessions) {
      if (await session.served(by, response)) {
        this.#taker = session
        return true
      }
    }
    return false
  }

  async heard(by: Backend, piece: Buffer): Promise<void> {
    for (const session of this.#sessions) if (session.awaitsBody) await session.heard?.(by, piece)
  }
}
