import type { ParsedRequest } from '../wire/request-head.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import type { Backend } from './backend.ts'
import type { Failure } from './failures.ts'

/** Carries exchanges to backends. The one here speaks HTTP/1.1 over net and tls; HTTP/2 would be another. */
export interface Transport extends Disposable {
  /**
   * Sends a request's head (`lines` is its text for HTTP/1.1); everything after that is told to the sink. `fresh`: over a connection
   * of its own, since one kept from before has just failed.
   */
  send(backend: Backend, request: ParsedRequest, lines: string, sink: ResponseSink, fresh: boolean): InFlight
}

/** An exchange on its way: the request's body goes in here. */
export interface InFlight {
  /** Gives a piece of the body, or of a tunnel; false: wait for `drained`. Only after `ready`. The bytes must stay as they are. */
  write(piece: Buffer): boolean
  /** The body is over; trailer lines each end with CR LF. Never in a tunnel, which `abort` ends. */
  end(trailers: string): void
  /** Goes on after `head` or `data` answered false; harmless otherwise. */
  resume(): void
  /** Gives it up without another word to the sink; the connection closes, a tunnel's when the last piece has left. */
  abort(): void
}

/** What becomes of an exchange; `end` or `failed` is the last call, and the only one of its kind. */
export interface ResponseSink {
  /** The backend will take the body now, and not before: a request whose body nobody took can go to another backend. */
  ready(flight: InFlight): void
  interim(head: ParsedResponse): void
  /** False: hold everything after the head until `resume`. */
  head(head: ParsedResponse): boolean
  /** The backend switched protocols: what follows, both ways, is a tunnel's. False: hold as after `head`. */
  upgraded(head: ParsedResponse): boolean
  /** A view into bytes that are reused once `data` answered true; false: hold still until `resume`. */
  data(piece: Buffer): boolean
  /** Nothing more came with this read: what was gathered should leave. False as with `data`. */
  flush(): boolean
  end(trailers: string): void
  drained(): void
  failed(failure: Failure): void
}
