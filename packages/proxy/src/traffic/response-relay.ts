import { chunkedEnd, chunkStart } from '../wire/body.ts'
import { type Delivery, responseLines } from '../wire/forwarding.ts'
import { CHUNKED, UNTIL_CLOSE } from '../wire/framing.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import { framingOf } from '../wire/response-reader.ts'
import type { ClientWriter } from './client-writer.ts'
import type { ExchangeHost } from './exchange-host.ts'

/** Takes what follows a response's head to the client. */
export interface Relay {
  /** May the connection serve another request afterwards? */
  readonly persistent: boolean
  /** False: wait for the client, and keep the piece as it is until then. */
  data(piece: Buffer): boolean
  end(trailers: string): void
  /** Ends a tunnel that the backend has not ended, and its exchange with it. */
  leave?(host: ExchangeHost, code: number): void
}

/** Relays one response to the client, in a framing of our own. */
export class ResponseRelay implements Relay {
  readonly delivery: Delivery
  readonly #writer: ClientWriter

  /** Writes the head. `persistent`: our side would go on with the connection. */
  constructor(writer: ClientWriter, request: ParsedRequest, response: ParsedResponse, persistent: boolean, id: string) {
    this.#writer = writer
    this.delivery = deliveryOf(request, response, persistent)
    writer.text(responseLines(response, request, this.delivery, id))
  }

  get persistent(): boolean {
    return this.delivery.persistent
  }

  data(piece: Buffer): boolean {
    if (this.delivery.body !== 'chunked') return this.#writer.piece(piece, '', '')
    return this.#writer.piece(piece, chunkStart(piece.length), '\r\n')
  }

  end(trailers: string): void {
    if (this.delivery.body === 'chunked') this.#writer.text(chunkedEnd(trailers))
    this.#writer.flush()
  }
}

function deliveryOf(request: ParsedRequest, response: ParsedResponse, persistent: boolean): Delivery {
  const framing = framingOf(response, request.method)
  if (framing === CHUNKED && request.minorVersion === 1) return { body: 'chunked', persistent }
  // HTTP/1.0 knows no chunks, and a body without length has no other end than the connection's.
  if (framing === CHUNKED || framing === UNTIL_CLOSE) return { body: 'until-close', persistent: false }
  return { body: framing === 0 ? 'none' : 'length', persistent }
}
