import { switchingLines } from '../wire/forwarding.ts'
import { closingFrame, FrameBounds } from '../wire/frame-bounds.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import type { ClientWriter } from './client-writer.ts'
import type { ExchangeHost } from './exchange-host.ts'
import type { Relay } from './response-relay.ts'

/** Relays what a backend sends through a WebSocket. */
export class TunnelRelay implements Relay {
  readonly persistent = false
  readonly #writer: ClientWriter
  readonly #bounds = new FrameBounds()

  /** Tells the client that the protocols are switched. */
  constructor(writer: ClientWriter, head: ParsedResponse, id: string) {
    this.#writer = writer
    writer.text(switchingLines(head, id))
    writer.flush()
  }

  data(piece: Buffer): boolean {
    this.#bounds.pass(piece)
    return this.#writer.piece(piece, '', '')
  }

  end(): void {
    this.#writer.flush()
  }

  /** With a closing frame, unless it would be taken for a part of another one, or waits behind much that the client does not read. */
  leave(host: ExchangeHost, code: number): void {
    if (!this.#bounds.between || !this.#writer.idle) return host.exchangeCut()
    this.#writer.text(closingFrame(code).toString('latin1'))
    this.#writer.flush()
    host.exchangeOver(false)
  }
}
