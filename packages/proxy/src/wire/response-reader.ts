import { type BodyReader, bodyReader } from './body.ts'
import type { ChunkSink } from './chunked.ts'
import { type Framing, UNTIL_CLOSE } from './framing.ts'
import { HeadCollector } from './head-collector.ts'
import { RESPONSE_LIMITS } from './limits.ts'
import { Malformed } from './malformed.ts'
import type { ParsedRequest } from './request-head.ts'
import { type ParsedResponse, parseResponseHead } from './response-head.ts'

/** Receives what a backend answers to one request. */
export interface ResponseEvents extends ChunkSink {
  interim(head: ParsedResponse): void
  head(head: ParsedResponse): void
  /** The protocol was switched as asked: all further bytes are `data`. */
  switched(head: ParsedResponse): void
  /** The response is whole; trailer lines each end with CR LF. */
  complete(trailers: string): void
}

// A backend may think aloud, but not for ever.
const MOST_INTERIM_RESPONSES = 16

/** Reads the responses of one connection from its bytes, one for each request it is told of. */
export class ResponseReader {
  readonly #collector = new HeadCollector(RESPONSE_LIMITS.head)
  readonly #events: ResponseEvents
  #request: ParsedRequest | undefined
  #phase: 'none' | 'head' | 'body' | 'tunnel' = 'none'
  #body: BodyReader | undefined
  #untilClose = false
  #interims = 0

  constructor(events: ResponseEvents) {
    this.#events = events
  }

  get phase(): 'none' | 'head' | 'body' | 'tunnel' {
    return this.#phase
  }

  /** A response to this request comes next. */
  expect(request: ParsedRequest): void {
    this.#request = request
    this.#phase = 'head'
    this.#interims = 0
  }

  /** Reads on until something was told to the events or the bytes are over; answers where the rest begins. */
  read(bytes: Buffer, at: number): number | Malformed {
    if (this.#phase === 'head') return this.#readHead(bytes, at)
    if (this.#phase === 'body') return this.#readBody(bytes, at)
    // They must not become the answer to the next request.
    if (this.#phase === 'none') return Malformed.unasked
    this.#events.data(at === 0 ? bytes : bytes.subarray(at))
    return bytes.length
  }

  /** The connection's end was read; true if that is how the response ends. */
  readEnd(): boolean {
    if (this.#phase !== 'body' || !this.#untilClose) return false
    this.#finish('')
    return true
  }

  #readHead(bytes: Buffer, at: number): number | Malformed {
    const text = this.#collector.collect(bytes, at)
    if (text === undefined) return bytes.length
    if (text instanceof Malformed) return text
    const head = parseResponseHead(text, RESPONSE_LIMITS)
    if (head instanceof Malformed) return head
    return (head.status < 200 ? this.#interim(head) : this.#final(head)) ?? this.#collector.next
  }

  #interim(head: ParsedResponse): Malformed | undefined {
    // The final response comes on the same connection, which HTTP/1.0 and `close` end.
    if (!head.persistent || ++this.#interims > MOST_INTERIM_RESPONSES) return Malformed.interim
    return head.status === 101 ? this.#switch(head) : void this.#events.interim(head)
  }

  #switch(head: ParsedResponse): Malformed | undefined {
    if (!isSwitch(head, this.#request!)) return Malformed.switchUnasked
    this.#phase = 'tunnel'
    this.#events.switched(head)
    return undefined
  }

  #final(head: ParsedResponse): undefined {
    const framing = framingOf(head, this.#request!.method)
    this.#events.head(head)
    if (framing === 0) return this.#finish('')
    this.#phase = 'body'
    this.#untilClose = framing === UNTIL_CLOSE
    this.#body = bodyReader(framing)
  }

  #readBody(bytes: Buffer, at: number): number | Malformed {
    const body = this.#body!
    const next = body.decode(bytes, at, bytes.length, this.#events)
    if (body.done && !(next instanceof Malformed)) this.#finish(body.trailers)
    return next
  }

  #finish(trailers: string): undefined {
    this.#phase = 'none'
    this.#body = undefined
    this.#events.complete(trailers)
  }
}

// A tunnel without the switch that was asked for would carry whatever a client wants past every rule.
function isSwitch(head: ParsedResponse, request: ParsedRequest): boolean {
  return request.upgrade !== undefined && head.upgrade?.toLowerCase() === request.upgrade
}

/** What body follows a head, knowing the request's method (RFC 9112 6.3). */
export function framingOf(head: ParsedResponse, method: string): Framing {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return 0
  return head.framing
}
