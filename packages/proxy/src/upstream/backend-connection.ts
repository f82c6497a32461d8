import type { Socket } from 'node:net'

import type { Milliseconds } from '@sticky/store'

import type { TimeoutConfig } from '../config/config.ts'
import { chunkedEnd, chunkStart } from '../wire/body.ts'
import { CHUNKED } from '../wire/framing.ts'
import { Malformed } from '../wire/malformed.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import { type ResponseEvents, ResponseReader } from '../wire/response-reader.ts'
import type { Backend } from './backend.ts'
import type { Deadlines, Timed } from './deadlines.ts'
import type { Failure, Phase } from './failures.ts'
import { openSocket, type SocketEvents } from './sockets.ts'
import type { InFlight, ResponseSink } from './transport.ts'

/** Whoever keeps a connection between its exchanges. */
export interface ConnectionKeeper {
  readonly deadlines: Deadlines
  readonly timeouts: TimeoutConfig
  /** An exchange is over and the connection may serve another within `limit`. */
  idle(connection: BackendConnection, limit: Milliseconds): void
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
  #gone = false
  #cause: Failure['cause'] = 'reset'

  /** May it be given an exchange? */
  get usable(): boolean {
    return this.#socket.writable
  }

  constructor(backend: Backend, keeper: ConnectionKeeper) {
    this.backend = backend
    this.#keeper = keeper
    this.#socket = openSocket(backend, this)
    this.deadline = keeper.deadlines.in(keeper.timeouts.connect)
    keeper.deadlines.add(this)
  }

  /** Begins an exchange; its head leaves at once, or as soon as the connection stands. */
  start(request: ParsedRequest, lines: string, sink: ResponseSink): void {
    this.#sink = sink
    this.#request = request
    this.#requestDone = request.framing === 0
    this.#response = undefined
    if (this.#standing) this.#begin(lines)
    else this.#waiting = lines
  }

  connected(): void {
    this.#standing = true
    this.deadline = 0
    this.backend.health.succeeded()
    if (this.#sink !== undefined) this.#begin(this.#waiting)
  }

  #begin(lines: string): void {
    this.#waiting = ''
    this.#reader.expect(this.#request!)
    this.#socket.write(lines, 'latin1')
    if (this.#requestDone) this.#awaitHead()
    else this.#sink?.ready(this)
  }

  #awaitHead(): void {
    this.deadline = this.#keeper.deadlines.in(this.#keeper.timeouts.response)
  }

  // The request's way.

  write(piece: Buffer): boolean {
    const more = this.#chunked ? this.#writeChunk(piece) : this.#socket.write(piece)
    if (!more) this.deadline = this.#keeper.deadlines.in(this.#keeper.timeouts.write)
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
    if (this.#reader.phase === 'tunnel') {
      this.#socket.end()
      return
    }
    this.#requestDone = true
    if (this.#chunked) this.#socket.write(chunkedEnd(trailers), 'latin1')
    if (this.#reader.phase === 'head') this.#awaitHead()
  }

  drained(): void {
    this.deadline = 0
    this.#sink?.drained()
  }

  // The response's way.

  read(bytes: Buffer): boolean {
    let at = 0
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
    if (this.#gone) this.#reportLoss()
    else if (goesOn) this.#socket.resume()
  }

  interim(head: ParsedResponse): void {
    this.#sink?.interim(head)
  }

  head(head: ParsedResponse): void {
    this.#response = head
    this.#awaitBytes()
    this.backend.health.succeeded()
    if (this.#sink?.head(head) === false) this.#holding = true
  }

  switched(head: ParsedResponse): void {
    this.#awaitBytes()
    if (this.#sink?.upgraded(head) === false) this.#holding = true
  }

  data(piece: Buffer): void {
    this.#awaitBytes()
    if (this.#sink?.data(piece) === false) this.#stalled = true
  }

  complete(trailers: string): void {
    this.#trailers = trailers
  }

  /** A stream may be silent for long: only the limit for tunnels ends it. */
  #awaitBytes(): void {
    this.deadline = this.#keeper.deadlines.in(this.#keeper.timeouts.tunnel)
  }

  get #isComplete(): boolean {
    return this.#trailers !== undefined && !this.#holding
  }

  /** The exchange is over; `clean`: the backend sent nothing after its answer. */
  #finish(clean: boolean): boolean {
    const sink = this.#sink
    const trailers = this.#trailers!
    const reusable = clean && this.#requestDone && this.#response!.persistent && !this.#gone
    this.#sink = undefined
    this.#trailers = undefined
    this.#keepsBytes = this.#stalled
    this.#stalled = false
    if (reusable) this.#putAside()
    else this.close()
    sink?.end(trailers)
    return reusable
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
    this.backend.health.abandoned()
    if (this.#reader.phase === 'tunnel') this.#endGently()
    else this.close()
  }

  /** What the client said last in a tunnel still arrives. */
  #endGently(): void {
    this.deadline = this.#keeper.deadlines.in(this.#keeper.timeouts.write)
    this.#socket.end()
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
    if (this.#reader.phase === 'tunnel') this.#endTunnel()
    else if (this.#reader.readEnd() && this.#isComplete) this.#finish(true)
  }

  #endTunnel(): void {
    const sink = this.#sink
    this.#sink = undefined
    sink?.end('')
  }

  closed(): void {
    this.#gone = true
    this.#keeper.deadlines.delete(this)
    this.#keeper.closed(this)
    if (!this.#holding) this.#reportLoss()
  }

  #reportLoss(): void {
    if (!this.#standing && this.#sink !== undefined) this.backend.health.connectFailed()
    if (this.#reader.phase === 'tunnel') {
      this.#endTunnel()
      return
    }
    const sink = this.#sink
    this.#sink = undefined
    const phase = this.#phaseReached
    const refused = phase === 'connect' && this.#cause === 'reset'
    sink?.failed({ phase, cause: refused ? 'refused' : this.#cause })
  }

  get #phaseReached(): Phase {
    if (!this.#standing) return 'connect'
    return this.#response === undefined ? 'before-head' : 'mid-body'
  }
}
