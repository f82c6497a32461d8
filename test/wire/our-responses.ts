import type { Malformed } from '../../packages/proxy/src/wire/malformed.ts'
import { type ParsedRequest, parseRequestHead } from '../../packages/proxy/src/wire/request-head.ts'
import type { ParsedResponse } from '../../packages/proxy/src/wire/response-head.ts'
import { type ResponseEvents, ResponseReader } from '../../packages/proxy/src/wire/response-reader.ts'
import type { Asked } from './oracle.ts'
import { LIMITS } from './our-requests.ts'
import { type MessageRead, type Reading, trailerFields } from './reading.ts'

/** Our reading, and the heads as the rest of the proxy sees them. */
export interface ResponseReading extends Reading {
  readonly heads: readonly ParsedResponse[]
}

/** Reads a connection's responses as a backend's connection does, from its bytes in the pieces given and its end. */
export function readResponses(asked: readonly Asked[], pieces: readonly Buffer[]): ResponseReading {
  const connection = new Connection(asked)
  for (const piece of pieces) if (!connection.read(piece)) break
  connection.end()
  return connection.reading
}

class Connection implements ResponseEvents {
  readonly #reader: ResponseReader = new ResponseReader(this)
  readonly #asked: readonly Asked[]
  readonly #messages: MessageRead[] = []
  readonly #heads: ParsedResponse[] = []
  #answered = 0
  #message: MessageRead | undefined
  #refusal: Malformed | undefined
  #persistent = true
  #at = 0
  /** How many messages are whole, and where the last of them ended. */
  #whole = 0
  #wholeAt = 0

  constructor(asked: readonly Asked[]) {
    this.#asked = asked
    this.#expect()
  }

  get reading(): ResponseReading {
    return {
      heads: this.#heads,
      messages: this.#messages,
      refusal: this.#refusal?.reason,
      unfinished: this.#refusal === undefined && this.#at > this.#wholeAt,
    }
  }

  /** Answers whether it would read on. */
  read(piece: Buffer): boolean {
    for (let at = 0; at < piece.length; ) {
      const next = this.#reader.read(piece, at)
      if (typeof next !== 'number') {
        this.#refusal = next
        return false
      }
      this.#at += next - at
      at = next
      if (this.#message?.complete === true && this.#messages.length > this.#whole) this.#markWhole()
      if (this.#reader.phase === 'tunnel') {
        this.#message!.switchedAt = this.#at
        return false
      }
      if (this.#reader.phase === 'none') {
        if (!this.#persistent) return false
        this.#expect()
      }
    }
    return true
  }

  end(): void {
    if (this.#refusal === undefined && this.#reader.readEnd()) this.#markWhole()
  }

  #markWhole(): void {
    this.#whole = this.#messages.length
    this.#wholeAt = this.#at
  }

  #expect(): void {
    const asked = this.#asked[this.#answered++]
    if (asked !== undefined) this.#reader.expect(requestFor(asked))
  }

  interim(head: ParsedResponse): void {
    this.#push(head).complete = true
  }

  head(head: ParsedResponse): void {
    this.#push(head)
    this.#persistent = head.persistent
  }

  switched(head: ParsedResponse): void {
    this.#push(head).complete = true
  }

  data(piece: Buffer): void {
    this.#message!.body += piece.toString('latin1')
  }

  complete(trailers: string): void {
    this.#message!.trailers = trailerFields(trailers)
    this.#message!.complete = true
  }

  #push(head: ParsedResponse): MessageRead {
    this.#message = {
      start: [String(head.status), head.reason],
      minorVersion: undefined,
      fields: head.fields,
      body: '',
      trailers: [],
      complete: false,
      switchedAt: undefined,
    }
    this.#messages.push(this.#message)
    this.#heads.push(head)
    return this.#message
  }
}

const requests = new Map<string, ParsedRequest>()

/** The request that was asked. */
export function requestFor(asked: Asked): ParsedRequest {
  const upgrade = asked.upgrade ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : ''
  const text = `${asked.method} / HTTP/1.1\r\nHost: a\r\n${upgrade}`
  const known = requests.get(text) ?? (parseRequestHead(text, LIMITS) as ParsedRequest)
  requests.set(text, known)
  return known
}
