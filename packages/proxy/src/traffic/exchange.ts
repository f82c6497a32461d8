import type { MaybePromise } from '@sticky/store'

import type { Client, PersistenceCode } from '../affinity/strategy.ts'
import type { Backend } from '../upstream/backend.ts'
import { type Failure, mayReplay, mayRetry } from '../upstream/failures.ts'
import type { InFlight, ResponseSink } from '../upstream/transport.ts'
import { interimLines } from '../wire/forwarding.ts'
import type { Malformed } from '../wire/malformed.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import type { ExchangeHost } from './exchange-host.ts'
import type { ExchangeRecord, RefusalCode } from './exchange-record.ts'
import { HeldBody } from './held-body.ts'
import { outgoingHead } from './outgoing-head.ts'
import { Placement, type PlacementHost } from './placement.ts'
import { failureCode, type OwnAnswer, optionsAnswer, refusalAnswer } from './refusals.ts'
import { ReplayBody } from './replay-body.ts'
import { type Relay, ResponseRelay } from './response-relay.ts'
import type { Traffic } from './traffic.ts'
import { TunnelRelay } from './tunnel-relay.ts'

/** One request and its response, from route to account. A failure re-enters at the choice of a backend if its phase allows. */
export class Exchange implements ResponseSink, PlacementHost, ExchangeRecord {
  readonly requestId: string
  readonly started: number = Date.now()
  status = 0
  bytesReceived = 0
  bytesSent = 0
  duration = 0
  upstreamDuration: number | undefined
  retries = 0
  isRetryDenied = false
  refusal: RefusalCode | undefined
  tunnel = false
  /** May the request's body, or a tunnel's bytes, be given now? */
  takesBody = false
  readonly #begun: number = performance.now()
  readonly #traffic: Traffic
  readonly #host: ExchangeHost
  readonly #request: ParsedRequest
  readonly #client: Client
  readonly #place: Placement
  #failure: Failure | undefined
  #flight: InFlight | undefined
  #sentAt = 0
  /** Was any of the body given away, and be it its end? */
  #bodyTaken = false
  #bodyDone: boolean
  /** The body's trailers, once it is whole. */
  #trailers = ''
  /** What was given away of the body, should it be sent to another backend. */
  #replay: ReplayBody | undefined
  #mostBody = Number.POSITIVE_INFINITY
  #relay: Relay | undefined
  #awaitsBody = false
  #held: HeldBody | undefined
  #over = false

  constructor(traffic: Traffic, host: ExchangeHost, request: ParsedRequest, client: Client, requestId: string) {
    this.#traffic = traffic
    this.#host = host
    this.#request = request
    this.#client = client
    this.#place = new Placement(this, traffic, request, client, host.origin.port)
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
  get route(): number | undefined {
    return this.#place.route?.index
  }
  get pool(): string | undefined {
    return this.#place.pool?.id
  }
  get backend(): string | undefined {
    return this.#place.backend?.id
  }
  get session(): string | undefined {
    return this.#place.session?.key?.id
  }
  get persistence(): PersistenceCode {
    return this.#place.persistence
  }
  get queued(): number | undefined {
    return this.#place.waited
  }

  // Towards a backend.

  /** Begins; everything after that is told to the host. */
  begin(): void {
    if (this.#request.target === '*') return this.#answer(optionsAnswer(this.#answered))
    this.#place.begin()
  }

  placed(backend: Backend): void {
    const { maxBody, replayBody, retries } = this.#place.pool!
    if (this.#request.framing > maxBody) return this.#refuse('body-too-large')
    this.#mostBody = maxBody
    if (this.retries === 0) {
      retries.sent(this.#begun)
      if (replayBody > 0) this.#replay = ReplayBody.of(this.#request.framing, replayBody)
    }
    this.#dispatch(backend)
  }

  unplaced(code: RefusalCode, text?: string, status?: number): void {
    // When all that remained failed, the last failure says more than that nothing remains.
    const isExhausted = code === 'no-backend' || code === 'all-full'
    if (isExhausted && this.#failure !== undefined) this.#refuse(failureCode(this.#failure))
    else this.#refuse(code, text, status)
  }

  broken(error: unknown): void {
    this.#flight?.abort()
    this.#traffic.failed(error)
    this.#refuse('internal')
  }

  #dispatch(backend: Backend): void {
    const request = this.#request
    try {
      const lines = outgoingHead(request, this.#place, this.#host.origin, this.requestId)
      this.#sentAt = performance.now()
      this.#flight = this.#traffic.transport.send(backend, request, lines, this, this.retries > 0)
    } catch (error) {
      this.broken(error)
    }
  }

  ready(flight: InFlight): void {
    this.#flight = flight
    this.takesBody = true
    if (this.#bodyTaken) this.#sendAgain(flight)
    if (!this.#bodyDone) this.#host.bodyWanted()
  }

  /** What another backend had of the body before it failed; small, so that it need not wait for room. */
  #sendAgain(flight: InFlight): void {
    const pieces = this.#replay?.pieces
    if (pieces === undefined) return this.broken(new Error('a request whose body was not kept cannot be sent again'))
    for (const piece of pieces) flight.write(piece)
    if (this.#bodyDone) flight.end(this.#trailers)
    else this.#host.bodyDrained()
  }

  /** A piece of the request's body, or of a tunnel; false: wait for `bodyDrained`. */
  body(piece: Buffer): boolean {
    this.bytesReceived += piece.length
    if (this.bytesReceived > this.#mostBody && !this.tunnel) return this.#bodyTooLarge()
    this.#bodyTaken = true
    this.#replay?.add(piece)
    return this.#flight?.write(piece) ?? true
  }

  #bodyTooLarge(): true {
    this.#flight?.abort()
    this.#refuse('body-too-large')
    return true
  }

  /** The request's body is whole. */
  bodyEnd(trailers: string): void {
    this.#bodyTaken = true
    this.#bodyDone = true
    this.#trailers = trailers
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
    await served.catch((error) => this.#traffic.failed(error))
    if (this.#over) return
    this.#relayHead(head)
    this.#flight?.resume()
  }

  #askToServe(head: ParsedResponse): MaybePromise<boolean> {
    try {
      return this.#place.session!.served(this.#place.home, head)
    } catch (error) {
      this.#traffic.failed(error)
      return false
    }
  }

  #relayHead(head: ParsedResponse): void {
    this.status = head.status
    this.#awaitsBody = this.#place.session!.awaitsBody ?? false
    if (this.tunnel) this.#beginTunnel(head)
    else this.#relay = new ResponseRelay(this.#host.writer, this.#request, head, this.#persistent, this.requestId)
  }

  #beginTunnel(head: ParsedResponse): void {
    this.takesBody = true
    this.#relay = new TunnelRelay(this.#host.writer, head, this.requestId)
    this.#traffic.tunnels.add(this, this.#place.session?.key)
    this.#host.bodyWanted()
  }

  /** Ends this tunnel. */
  closeTunnel(code: number): void {
    this.#flight?.abort()
    this.#finish()
    this.#relay?.leave?.(this.#host, code)
  }

  get #persistent(): boolean {
    return this.#request.persistent && this.#bodyDone && !this.#host.draining
  }

  data(piece: Buffer): boolean {
    if (this.#awaitsBody) this.#hear(piece)
    if (this.#held === undefined) return this.#relayPiece(piece)
    this.#held.add(piece)
    return false
  }

  /** Lets affinity hear how the body begins: what it names must be bound before the client knows it. */
  #hear(piece: Buffer): void {
    this.#awaitsBody = false
    const heard = this.#askToHear(piece)
    if (!(heard instanceof Promise)) return
    this.#held = new HeldBody()
    this.#relayHeld(this.#held, heard)
  }

  #askToHear(piece: Buffer): MaybePromise<void> {
    try {
      return this.#place.session!.heard?.(this.#place.home, piece)
    } catch (error) {
      this.#traffic.failed(error)
    }
  }

  async #relayHeld(held: HeldBody, heard: Promise<void>): Promise<void> {
    await heard.catch((error) => this.#traffic.failed(error))
    if (this.#over) return
    this.#held = undefined
    for (const piece of held.pieces) this.#relayPiece(piece)
    if (held.trailers !== undefined) this.end(held.trailers)
    else if (this.flush()) this.#flight?.resume()
  }

  #relayPiece(piece: Buffer): boolean {
    const goesOn = this.#relay!.data(piece)
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
    if (this.#held !== undefined) return this.#held.end(trailers)
    this.#relay?.end(trailers)
    this.#finish()
    this.#host.exchangeOver(this.#relay?.persistent ?? false)
  }

  // The ways it fails.

  failed(failure: Failure): void {
    this.#flight = undefined
    this.takesBody = false
    if (this.status !== 0) return this.#cut(failureCode(failure))
    if (!this.#mayGoOn(failure)) return this.#refuse(failureCode(failure))
    this.#failure = failure
    this.retries++
    // A session does not move because a connection was closed that was idle.
    if (failure.phase === 'unheard') this.#dispatch(this.#place.backend!)
    else this.#place.next()
  }

  #mayGoOn(failure: Failure): boolean {
    const isRepeatable =
      mayRetry(failure, this.#request.method, this.#bodyTaken) ||
      (this.#replay?.pieces !== undefined && mayReplay(failure))
    // Asking the same backend again over a fresh connection happens once, and is none of the attempts.
    if (!isRepeatable || failure.phase === 'unheard') return isRepeatable
    if (!this.#place.goesOn) return false
    this.isRetryDenied = failure.phase !== 'connect' && !this.#place.pool!.retries.takes(performance.now())
    return !this.isRetryDenied
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
    if (this.tunnel) this.#traffic.tunnels.delete(this)
    this.#place.end()
    this.#flight = undefined
    this.bytesSent = this.#host.writer.content
    this.duration = performance.now() - this.#begun
    this.#traffic.observe(this)
  }
}
