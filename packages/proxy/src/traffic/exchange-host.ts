import type { Origin } from '../wire/forwarding.ts'
import type { ClientWriter } from './client-writer.ts'

/** The client's side of an exchange. */
export interface ExchangeHost {
  readonly writer: ClientWriter
  readonly origin: Origin
  /** The connection closes after this exchange. */
  readonly draining: boolean
  /** The request's body, or a tunnel's bytes, may be given now. */
  bodyWanted(): void
  /** There is room for more of them. */
  bodyDrained(): void
  /** The response waits for a client that is slow to read. */
  stalled(): void
  /** All was written; `persistent`: the connection may serve another request. */
  exchangeOver(persistent: boolean): void
  /** The response was cut: the connection must close at once, or the client would take it for whole. */
  exchangeCut(): void
}
