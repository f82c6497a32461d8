import type { Malformed } from '../../packages/proxy/src/wire/malformed.ts'
import type { ParsedRequest } from '../../packages/proxy/src/wire/request-head.ts'
import type { RequestLimits, RequestReader } from '../../packages/proxy/src/wire/request-reader.ts'
import { type MessageRead, type Reading, trailerFields } from './reading.ts'

/** The parser under test: ours, or a copy of it with a fault. */
export interface RequestWire {
  readonly RequestReader: typeof RequestReader
  readonly Malformed: typeof Malformed
}

/** Small, so that a fuzz run meets each of them often. */
export const LIMITS: RequestLimits = { head: 1024, fields: 16, target: 200, body: 4096 }

/** Our reading, and the requests as the rest of the proxy sees them. */
export interface RequestReading extends Reading {
  readonly requests: readonly ParsedRequest[]
}

/** Reads a connection's requests as a client's connection does, from its bytes in the pieces given. */
export function readRequests(
  wire: RequestWire,
  pieces: readonly Buffer[],
  limits: RequestLimits = LIMITS,
): RequestReading {
  const connection = new Connection(wire, limits)
  for (const piece of pieces) if (!connection.read(piece)) break
  return connection.reading
}

class Connection {
  readonly #wire: RequestWire
  readonly #reader: RequestReader
  readonly #messages: MessageRead[] = []
  readonly #requests: ParsedRequest[] = []
  #message: MessageRead | undefined
  #refusal: Malformed | undefined
  #read = 0

  constructor(wire: RequestWire, limits: RequestLimits) {
    this.#wire = wire
    this.#reader = new wire.RequestReader(limits)
  }

  get reading(): RequestReading {
    return {
      requests: this.#requests,
      messages: this.#messages,
      refusal: this.#refusal?.reason,
      unfinished: this.#refusal === undefined && (this.#message?.complete === false || this.#reader.headBegun),
    }
  }

  /** Answers whether it would read on. */
  read(piece: Buffer): boolean {
    for (let at = 0; at < piece.length; at = this.#reader.next) {
      const fault = this.#reader.bodyDone ? this.#readHead(piece, at) : this.#readBody(piece, at)
      this.#refusal = fault
      if (fault !== undefined) return false
      if (this.#reader.bodyDone && this.#isLast(this.#read + this.#reader.next)) return false
    }
    this.#read += piece.length
    return true
  }

  #readHead(piece: Buffer, at: number): Malformed | undefined {
    const request = this.#reader.readHead(piece, at)
    if (request === undefined || request instanceof this.#wire.Malformed) return request
    this.#requests.push(request)
    this.#message = {
      start: [request.method, request.target],
      minorVersion: request.minorVersion,
      fields: request.fields,
      body: '',
      trailers: [],
      complete: this.#reader.bodyDone,
      switchedAt: undefined,
    }
    this.#messages.push(this.#message)
    return undefined
  }

  #readBody(piece: Buffer, at: number): Malformed | undefined {
    const message = this.#message!
    const trailers = this.#reader.readBody(piece, at, {
      data: (content) => {
        message.body += content.toString('latin1')
      },
    })
    if (trailers === undefined || trailers instanceof this.#wire.Malformed) return trailers
    message.trailers = trailerFields(trailers)
    message.complete = true
    return undefined
  }

  #isLast(at: number): boolean {
    if (this.#message?.complete !== true || this.#reader.headBegun) return false
    const { upgrade, persistent } = this.#requests.at(-1)!
    if (upgrade !== undefined) this.#message.switchedAt = at
    return upgrade !== undefined || !persistent
  }
}
