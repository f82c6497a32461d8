import { type BodyReader, bodyReader } from './body.ts'
import type { ChunkSink } from './chunked.ts'
import { HeadCollector } from './head-collector.ts'
import type { HeadLimits } from './limits.ts'
import { Malformed } from './malformed.ts'
import { type ParsedRequest, parseRequestHead } from './request-head.ts'

/** Limits of a whole request. */
export interface RequestLimits extends HeadLimits {
  /** Bytes of a body's content; undefined for none. */
  readonly body: number | undefined
}

/** Reads the requests of one connection from its bytes, one after the other. */
export class RequestReader {
  readonly #limits: RequestLimits
  readonly #head: HeadCollector
  #body: BodyReader | undefined
  #bodyBytes = 0
  /** Where the bytes not yet read begin, after each call. */
  next = 0

  constructor(limits: RequestLimits) {
    this.#limits = limits
    this.#head = new HeadCollector(limits.head)
  }

  /** Has part of the next head come? */
  get headBegun(): boolean {
    return this.#head.begun
  }

  /** Is the body of the last request read whole? */
  get bodyDone(): boolean {
    return this.#body === undefined
  }

  /** The next request's head; undefined: more bytes are needed. */
  readHead(bytes: Buffer, at: number): ParsedRequest | Malformed | undefined {
    this.next = bytes.length
    const text = this.#head.collect(bytes, at)
    if (typeof text !== 'string') return text
    this.next = this.#head.next
    const request = parseRequestHead(text, this.#limits)
    return request instanceof Malformed ? request : this.#expectBody(request)
  }

  #expectBody(request: ParsedRequest): ParsedRequest | Malformed {
    if (this.#exceeds(request.framing)) return Malformed.bodyLong
    this.#body = request.framing === 0 ? undefined : bodyReader(request.framing)
    this.#bodyBytes = 0
    return request
  }

  #exceeds(bytes: number): boolean {
    return this.#limits.body !== undefined && bytes > this.#limits.body
  }

  /** Gives the body's content to the sink; its trailer lines when it is over, undefined while it goes on. */
  readBody(bytes: Buffer, at: number, sink: ChunkSink): string | Malformed | undefined {
    const body = this.#body
    if (body === undefined) return ''
    const next = body.decode(bytes, at, bytes.length, {
      data: (piece) => {
        this.#bodyBytes += piece.length
        if (!this.#exceeds(this.#bodyBytes)) sink.data(piece)
      },
    })
    if (next instanceof Malformed) return next
    this.next = next
    if (this.#exceeds(this.#bodyBytes)) return Malformed.bodyLong
    if (!body.done) return undefined
    this.#body = undefined
    return body.trailers
  }
}
