import { type MaybePromise, StoreUnavailable } from '@sticky/store'

import type { Client, OutgoingRequest, PersistenceCode, Session } from '../affinity/strategy.ts'
import type { Pool } from '../routing/topology.ts'
import type { Backend } from '../upstream/backend.ts'
import { type Failure, mayRetry } from '../upstream/failures.ts'
import type { InFlight, ResponseSink } from '../upstream/transport.ts'
import { interimLines, requestLines, switchingLines } from '../wire/forwarding.ts'
import type { Malformed } from '../wire/malformed.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import type { ExchangeHost } from './exchange-host.ts'
import type { ExchangeRecord, RefusalCode } from './exchange-record.ts'
import { failureCode, type OwnAnswer, optionsAnswer, refusalAnswer } from './refusals.ts'
import { ResponseRelay } from './response-relay.ts'
import type { Traffic } from './traffic.ts'

type Choice = Backend | 'no-backend' | 'all-full'

// Each on a backend of its own: asking the same one again over a fresh connection is not one of them, and happens once.
const MOST_RETRIES = 2
const NONE: ReadonlySet<Backend> = new Set()

/** One request and its response, from route to account. A failure re-enters at the choice of a backend if its phase allows. */
export class Exchange implements ResponseSink, ExchangeRecord {
  readonly requestId: string
  readonly started: number = Date.now()
  status = 0
  bytesReceived = 0
  bytesSent = 0
  duration = 0
  upstreamDuration: number | undefined
  route: number | undefined
  retries = 0
  refusal: RefusalCode | undefined
  tunnel = false
  /** May the request's body, or a tunnel's bytes, be given now? */
  takesBody = false
  readonly #begun: number = performance.now()
  readonly #traffic: Traffic
  readonly #host: ExchangeHost
  readonly #request: ParsedRequest
  readonly #client: Client
  #pool: Pool | undefined
  #session: Session | undefined
  #backend: Backend | undefined
  #counted = false
  #tried: ReadonlySet<Backend> = NONE
  #failure: Failure | undefined
  #flight: InFlight | undefined
  #sentAt = 0
  /** Was any of the body given away, and be it its end? */
  #bodyTaken = false
  #bodyDone: boolean
  #relay: ResponseRelay | undefined
  #over = false

  constructor(traffic: Traffic, host: ExchangeHost, request: ParsedRequest, client: Client, requestId: string) {
    this.#traffic = traffic
    this.#host = host
    this.#request = request
    this.#client = client
    this.#bodyDone = request.framing === 0
    this.requestId = requestId
    host.writer.content = 0
  }

  get client(): string {
    return this.#client.address
  }
  get method(): string {
    return this.#request.method
  }
  get host(): string {
    return this.#request.host
  }
  get path(): string {
    return this.#request.path
  }
  get pool(): string | undefined {
    return this.#pool?.id
  }
  get backend(): string | undefined {
    return this.#backend?.id
  }
  get session(): string | undefined {
    return this.#session?.key?.id
  }
  get persistence(): PersistenceCode {
    return this.#session?.persistence ?? 'NN'
  }

  // Towards a backend.

  /** Begins; everything after that is told to the host. */
  begin(): void {
    if (this.#request.target === '*') return this.#answer(optionsAnswer(this.#answered))
    const route = this.#traffic.topology.routes.match(this.#request)
    if (route === undefined) return this.#refuse('no-route')
    this.#pool = route.to
    this.route = route.index
    this.#locate(route.to)
  }

  // Each question is answered at once if that can be, without a promise or a closure: a known session asks nobody else.

  #locate(pool: Pool): void {
    try {
      const session = pool.strategy.locate(this.#request, this.#client)
      if (session instanceof Promise) this.#locatedLater(session)
      else this.#located(session)
    } catch (error) {
      this.#broken(error)
    }
  }

  async #locatedLater(session: Promise<Session>): Promise<void> {
    try {
      this.#located(await session)
    } catch (error) {
      this.#broken(error)
    }
  }

  #located(session: Session): void {
    this.#session = session
    if (!this.#over) this.#attempt(session)
  }

  #attempt(session: Session): void {
    try {
      const choice = this.#pool!.balancer.choose(session, this.#tried)
      if (choice instanceof Promise) this.#chosenLater(choice)
      else this.#chosen(choice)
    } catch (error) {
      this.#broken(error)
    }
  }

  async #chosenLater(choice: Promise<Choice>): Promise<void> {
    try {
      this.#chosen(await choice)
    } catch (error) {
      this.#broken(error)
    }
  }

  /** A store that cannot be asked refuses the request; anything else is a bug of ours. */
  #broken(error: unknown): void {
    this.#flight?.abort()
    if (error instanceof StoreUnavailable) return this.#refuse('store-unavailable')
    this.#traffic.failed(error)
    this.#refuse('internal')
  }

  #chosen(choice: Choice): void {
    if (typeof choice === 'string')
      return this.#refuse(this.#failure === undefined ? choice : failureCode(this.#failure))
    this.#backend = choice
    this.#counted = true
    if (this.#over) this.#giveBack()
    else this.#dispatch(choice)
  }

  #dispatch(backend: Backend): void {
    const request = this.#request
    const outgoing: OutgoingRequest = { target: request.target, cookie: request.cookie }
    this.#session!.dispatched?.(backend, outgoing)
    const namesItself = this.#pool!.hostHeader === 'backend' || request.host === ''
    const host = namesItself ? backend.authority : request.host
    const lines = requestLines(request, outgoing, host, this.#host.origin, this.requestId)
    this.#sentAt = performance.now()
    this.#flight = this.#traffic.transport.send(backend, request, lines, this, this.retries > 0)
  }

  ready(flight: InFlight): void {
    this.#flight = flight
    this.takesBody = true
    this.#host.bodyWanted()
  }

  /** A piece of the request's body, or of a tunnel; false: wait for `bodyDrained`. */
  body(piece: Buffer): boolean {
    this.bytesReceived += piece.length
    this.#bodyTaken = true
    return this.#flight?.write(piece) ?? true
  }

  /** The request's body is whole. */
  bodyEnd(trailers: string): void {
    this.#bodyTaken = true
    this.#bodyDone = true
    this.#flight?.end(trailers)
  }

  drained(): void {
    this.#host.bodyDrained()
  }

  /** What came as the body cannot be one. */
  bodyMalformed(fault: Malformed): void {
    this.#flight?.abort()
    this.#refuse(fault.code, fault.reason, fault.status)
  }

  // Towards the client.

  interim(head: ParsedResponse): void {
    if (this.#request.minorVersion === 0) return
    this.#host.writer.text(interimLines(head))
    this.#host.writer.flush()
  }

  head(head: ParsedResponse): boolean {
    return this.#serve(head)
  }

  upgraded(head: ParsedResponse): boolean {
    this.tunnel = true
    return this.#serve(head)
  }

  /** Lets affinity see the head first: only a binding holds a response back. */
  #serve(head: ParsedResponse): boolean {
    this.upstreamDuration = performance.now() - this.#sentAt
    const served = this.#askToServe(head)
    if (served instanceof Promise) {
      this.#relayLater(head, served)
      return false
    }
    this.#relayHead(head)
    return true
  }

  async #relayLater(head: ParsedResponse, served: Promise<boolean>): Promise<void> {
    try {
      await served
    } catch (error) {
      this.#traffic.failed(error)
    }
    if (this.#over) return
    this.#relayHead(head)
    this.#flight?.resume()
  }

  #askToServe(head: ParsedResponse): MaybePromise<boolean> {
    try {
      return this.#session!.served(this.#backend!, head)
    } catch (error) {
      this.#traffic.failed(error)
      return false
    }
  }

  #relayHead(head: ParsedResponse): void {
    this.status = head.status
    if (this.tunnel) this.#beginTunnel(head)
    else this.#relay = new ResponseRelay(this.#host.writer, this.#request, head, this.#persistent, this.requestId)
  }

  #beginTunnel(head: ParsedResponse): void {
    this.takesBody = true
    this.#host.writer.text(switchingLines(head, this.requestId))
    this.#host.writer.flush()
    this.#host.bodyWanted()
  }

  get #persistent(): boolean {
    return this.#request.persistent && this.#bodyDone && !this.#traffic.draining
  }

  data(piece: Buffer): boolean {
    const goesOn = this.#relay?.data(piece) ?? this.#host.writer.piece(piece, '', '')
    if (!goesOn) this.#host.stalled()
    return goesOn
  }

  flush(): boolean {
    const goesOn = this.#host.writer.flush()
    if (!goesOn) this.#host.stalled()
    return goesOn
  }

  /** The client has read all that was written. */
  progress(): void {
    this.#flight?.resume()
  }

  end(trailers: string): void {
    this.#flight = undefined
    this.#relay?.end(trailers)
    this.#finish()
    this.#host.exchangeOver(this.#relay?.delivery.persistent ?? false)
  }

  // The ways it fails.

  failed(failure: Failure): void {
    this.#flight = undefined
    this.takesBody = false
    if (this.status !== 0) return this.#cut(failureCode(failure))
    const again = this.#tried.size < MOST_RETRIES && mayRetry(failure, this.#request.method, this.#bodyTaken)
    if (!again) return this.#refuse(failureCode(failure))
    this.#failure = failure
    this.retries++
    if (failure.phase === 'unheard') this.#sendAgain(this.#backend!)
    else this.#sendElsewhere(this.#backend!)
  }

  /** A session does not move because a connection was closed that was idle. */
  #sendAgain(backend: Backend): void {
    try {
      this.#dispatch(backend)
    } catch (error) {
      this.#broken(error)
    }
  }

  #sendElsewhere(failed: Backend): void {
    this.#giveBack()
    this.#tried = new Set(this.#tried).add(failed)
    this.#attempt(this.#session!)
  }

  /** The client took too long to send or to read. */
  clientTimeout(code: 'body-timeout' | 'client-stalled'): void {
    this.#flight?.abort()
    if (code === 'body-timeout') this.#refuse(code)
    else this.#cut(code)
  }

  /** The client's connection is closed. */
  clientGone(): void {
    if (this.#over) return
    this.#flight?.abort()
    if (!this.tunnel) this.refusal = 'client-gone'
    this.#finish()
  }

  #refuse(code: RefusalCode, detail?: string, status?: number): void {
    if (this.#over) return
    if (this.status !== 0) return this.#cut(code)
    this.refusal = code
    this.#answer(refusalAnswer(code, this.#answered, detail, status))
  }

  get #answered(): { requestId: string; withoutBody: boolean; persistent: boolean } {
    return { requestId: this.requestId, withoutBody: this.#request.method === 'HEAD', persistent: this.#persistent }
  }

  #answer(answer: OwnAnswer): void {
    const persistent = this.#persistent
    this.status = answer.status
    this.#host.writer.content = answer.bodyLength
    this.#host.writer.text(answer.text)
    this.#host.writer.flush()
    this.#finish()
    this.#host.exchangeOver(persistent)
  }

  #cut(code: RefusalCode): void {
    if (this.#over) return
    this.refusal = code
    this.#finish()
    this.#host.exchangeCut()
  }

  #finish(): void {
    this.#over = true
    this.#giveBack()
    this.#flight = undefined
    this.bytesSent = this.#host.writer.content
    this.duration = performance.now() - this.#begun
    this.#traffic.observe(this)
  }

  #giveBack(): void {
    if (!this.#counted) return
    this.#counted = false
    this.#traffic.store.load.end(this.#backend!.pool, this.#backend!.id)
  }
}
