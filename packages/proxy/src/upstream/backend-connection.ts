import type { Socket } from 'node:net'

import type { Milliseconds } from '@sticky/store'

import type { TimeoutConfig } from '../config/config.ts'
import { chunkedEnd, chunkStart } from '../wire/body.ts'
import { CHUNKED } from '../wire/framing.ts'
import { Malformed } from '../wire/malformed.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import { type ResponseEvents, ResponseReader } from '../wire/response-reader.ts'
import type { Attempt, Backend } from './backend.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import type { Failure } from './failures.ts'
import { openSocket, type SocketEvents } from './sockets.ts'
import { isAmong } from './statuses.ts'
import type { InFlight, ResponseSink } from './transport.ts'

/** Whoever keeps a connection between its exchanges. */
export interface ConnectionKeeper {
  readonly deadlines: Deadlines
  readonly timeouts: TimeoutConfig
  /** An exchange is over and the connection may serve another within `limit`. */
  idle(connection: BackendConnection, limit: Milliseconds): void
  /** TLS could not be agreed on, or nobody who is trusted vouches for the backend. */
  insecure(backend: Backend, reason: string): void
  /** Closed; never to be used again. */
  closed(connection: BackendConnection): void
}

/** One connection to a backend: one exchange at a time, each answer parsed strictly, and closed at the first doubt. */
export class BackendConnection implements InFlight, Timed, ResponseEvents, SocketEvents {
  readonly backend: Backend
  deadline: Milliseconds
  /** When it was last put aside, on the clock of `Deadlines.now`. */
  idleSince: Milliseconds = 0
  readonly #keeper: ConnectionKeeper
  readonly #socket: Socket
  readonly #reader: ResponseReader = new ResponseReader(this)
  #standing = false
  #sink: ResponseSink | undefined
  #request: ParsedRequest | undefined
  #requestDone = true
  /** The backend does not take what it is sent as fast as it comes. */
  #full = false
  #attempt: Attempt = 0
  /** Neither connection nor answer has yet told anything about the backend. */
  #undecided = false
  /** Kept from before, and nothing heard since: the backend may have closed it before it saw the request. */
  #doubtful = false
  /** A request's head that waits for the connection to stand. */
  #waiting = ''
  #response: ParsedResponse | undefined
  /** The sink has not yet let go what follows the head. */
  #holding = false
  #held: Buffer | undefined
  /** The sink's own side is slow: what was read is still being written from our buffer. */
  #stalled = false
  #keepsBytes = false
  /** The trailers of a response that is whole, until the sink may know. */
  #trailers: string | undefined
  /** The backend has ended its side, which nothing was told of yet. */
  #endHeld = false
  #gone = false
  #cause: Failure['cause'] = 'reset'
  #fault: 'ours' | 'theirs' = 'theirs'

  /** May it be given an exchange? */
  get usable(): boolean {
    return this.#socket.writable
  }

  constructor(backend: Backend, keeper: ConnectionKeeper) {
    this.backend = backend
    this.#keeper = keeper
    this.#socket = openSocket(backend, this)
    this.deadline = keeper.deadlines.in(backend.patience.connect ?? keeper.timeouts.connect)
    keeper.deadlines.add(this)
  }

  /** Begins an exchange; its head leaves at once, or as soon as the connection stands. */
  start(request: ParsedRequest, lines: string, sink: ResponseSink): void {
    this.#sink = sink
    this.#request = request
    this.#requestDone = request.framing === 0
    this.#response = undefined
    this.#attempt = this.backend.health.attempted()
    this.#undecided = true
    this.#doubtful = this.#standing
    if (this.#standing) this.#begin(lines)
    else this.#waiting = lines
  }

  connected(): void {
    this.#standing = true
    if (this.#connectionTells) this.#succeeded()
    if (this.#sink !== undefined) this.#begin(this.#waiting)
  }

  #begin(lines: string): void {
    this.#waiting = ''
    this.#reader.expect(this.#request!)
    this.#socket.write(lines, 'latin1')
    this.#await()
    if (!this.#requestDone) this.#sink?.ready(this)
  }

  /** Sets the limit of what is waited for now. Until a request's body is whole, what is waited for is its client's affair. */
  #await(): void {
    const { phase } = this.#reader
    const { timeouts, deadlines } = this.#keeper
    if (this.#full) this.deadline = deadlines.in(timeouts.write)
    else if (phase === 'head') this.deadline = this.#requestDone ? deadlines.in(this.#responseLimit) : 0
    // A stream may be silent for long: only the limit for tunnels ends it.
    else if (phase !== 'none') this.deadline = deadlines.in(timeouts.tunnel)
  }

  get #responseLimit(): Milliseconds {
    return this.backend.patience.response ?? this.#keeper.timeouts.response
  }

  // The request's way.

  write(piece: Buffer): boolean {
    const more = this.#chunked ? this.#writeChunk(piece) : this.#socket.write(piece)
    this.#full = !more
    if (!more || this.#reader.phase === 'tunnel') this.#await()
    return more
  }

  get #chunked(): boolean {
    return this.#request?.framing === CHUNKED
  }

  #writeChunk(piece: Buffer): boolean {
    this.#socket.cork()
    this.#socket.write(chunkStart(piece.length), 'latin1')
    this.#socket.write(piece)
    const more = this.#socket.write('\r\n', 'latin1')
    this.#socket.uncork()
    return more
  }

  end(trailers: string): void {
    this.#requestDone = true
    if (this.#chunked && !this.#socket.write(chunkedEnd(trailers), 'latin1')) this.#full = true
    this.#await()
  }

  drained(): void {
    this.#full = false
    this.#await()
    this.#sink?.drained()
  }

  // The response's way.

  read(bytes: Buffer): boolean {
    let at = 0
    this.#doubtful = false
    while (at < bytes.length) {
      if (this.#holding) return this.#hold(bytes, at)
      const next = this.#reader.read(bytes, at)
      if (next instanceof Malformed) return this.#fail('invalid')
      at = next
      if (this.#isComplete) return this.#finish(at === bytes.length)
    }
    if (this.#sink?.flush() === false) this.#stalled = true
    return !this.#holding && !this.#stalled
  }

  /** Keeps a copy of what may not be looked at yet. */
  #hold(bytes: Buffer, at: number): false {
    this.#held = Buffer.from(bytes.subarray(at))
    return false
  }

  resume(): void {
    if (!this.#holding && !this.#stalled) return
    this.#holding = false
    this.#stalled = false
    const held = this.#held
    this.#held = undefined
    const goesOn = this.#isComplete ? this.#finish(held === undefined) : held === undefined || this.read(held)
    if (this.#endHeld) this.ended()
    if (this.#gone) this.#reportLoss()
    else if (goesOn) this.#socket.resume()
  }

  interim(head: ParsedResponse): void {
    this.#sink?.interim(head)
  }

  head(head: ParsedResponse): void {
    this.#response = head
    this.#awaitBytes()
    this.#judge(head.status)
    if (this.#sink?.head(head) === false) this.#holding = true
  }

  switched(head: ParsedResponse): void {
    this.#awaitBytes()
    this.#succeeded()
    if (this.#sink?.upgraded(head) === false) this.#holding = true
  }

  data(piece: Buffer): void {
    if (this.#sink === undefined) return
    this.#awaitBytes()
    if (!this.#sink.data(piece)) this.#stalled = true
  }

  complete(trailers: string): void {
    this.#trailers = trailers
  }

  #awaitBytes(): void {
    if (!this.#full) this.deadline = this.#keeper.deadlines.in(this.#keeper.timeouts.tunnel)
  }

  get #isComplete(): boolean {
    return this.#trailers !== undefined && !this.#holding
  }

  /** The exchange is over; `clean`: the backend sent nothing after its answer. */
  #finish(clean: boolean): boolean {
    const sink = this.#sink
    const trailers = this.#trailers!
    const reusable = clean && this.#requestTaken && this.#response!.persistent && this.usable
    this.#sink = undefined
    this.#trailers = undefined
    this.#keepsBytes = this.#stalled
    this.#stalled = false
    if (reusable) this.#putAside()
    else this.close()
    sink?.end(trailers)
    return reusable
  }

  /** A backend that answers before it has read all is relayed, and its connection not used again. */
  get #requestTaken(): boolean {
    return this.#requestDone && (this.#request!.framing === 0 || this.#socket.writableLength === 0)
  }

  #putAside(): void {
    const { idleHint } = this.#response!
    const hinted = idleHint === undefined ? Number.POSITIVE_INFINITY : idleHint * 1000 - 1000
    this.#keeper.idle(this, Math.min(this.#keeper.timeouts.backendIdle, hinted))
  }

  keepsBytes(): boolean {
    const keeps = this.#keepsBytes
    this.#keepsBytes = false
    return keeps
  }

  // The ways it ends.

  abort(): void {
    this.#sink = undefined
    this.#abandoned()
    if (this.#reader.phase === 'tunnel') this.#endGently()
    else this.close()
  }

  /** What was said last in a tunnel still arrives; what the backend still says is read away, so that its end is seen. */
  #endGently(): void {
    this.deadline = this.#keeper.deadlines.in(this.#keeper.timeouts.write)
    this.#holding = false
    this.#stalled = false
    this.#socket.end()
    this.#socket.resume()
  }

  /** Closes it at once, whatever it is doing. */
  close(): void {
    this.#socket.destroy()
  }

  expired(): void {
    this.#fail('timeout')
  }

  #fail(cause: Failure['cause']): false {
    this.#cause = cause
    this.close()
    return false
  }

  ended(): void {
    this.#endHeld = this.#holding
    if (this.#holding) return
    if (this.#reader.phase === 'tunnel') this.#endTunnel()
    else if (this.#reader.readEnd() && this.#isComplete) this.#finish(true)
    else this.close()
  }

  #endTunnel(): void {
    const sink = this.#sink
    this.#sink = undefined
    this.#endGently()
    sink?.end('')
  }

  broken(fault: 'ours' | 'theirs'): void {
    this.#fault = fault
  }

  insecure(reason: string): void {
    this.#keeper.insecure(this.backend, reason)
  }

  closed(): void {
    this.#gone = true
    this.#keeper.deadlines.delete(this)
    this.#keeper.closed(this)
    if (!this.#holding) this.#reportLoss()
  }

  #reportLoss(): void {
    this.#blame()
    if (this.#reader.phase === 'tunnel') {
      this.#endTunnel()
      return
    }
    const sink = this.#sink
    this.#sink = undefined
    sink?.failed(this.#failure)
  }

  get #failure(): Failure {
    const cause = this.#cause
    if (!this.#standing) return { phase: 'connect', cause: cause === 'reset' ? 'refused' : cause }
    if (this.#response !== undefined) return { phase: 'mid-body', cause }
    return { phase: this.#doubtful && cause === 'reset' ? 'unheard' : 'before-head', cause }
  }

  // What it tells of the backend: each attempt one verdict, or none for ever is a probe's.

  get #connectionTells(): boolean {
    const { ejects, statuses } = this.backend.patience
    return !ejects && statuses === undefined
  }

  #judge(status: number): void {
    const { statuses } = this.backend.patience
    if (statuses === undefined || !isAmong(statuses, status)) this.#succeeded()
    else this.#failed(`status ${status}`)
  }

  #succeeded(): void {
    this.#undecided = false
    this.backend.health.succeeded()
  }

  #abandoned(): void {
    if (this.#undecided) this.backend.health.abandoned(this.#attempt)
    this.#undecided = false
  }

  #blame(): void {
    if (this.#standing && this.#cause === 'timeout' && this.backend.patience.ejects) this.#failed('no answer in time')
    else if (this.#standing || this.#fault === 'ours') this.#abandoned()
    else this.#failed(this.#cause === 'timeout' ? 'no connection in time' : 'no connection')
  }

  #failed(reason: string): void {
    if (this.#undecided) this.backend.health.failed(this.#attempt, reason)
    this.#undecided = false
  }
}
