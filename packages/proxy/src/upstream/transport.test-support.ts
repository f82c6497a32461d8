import type { Milliseconds } from '@sticky/store'

import type { TimeoutConfig } from '../config/config.ts'
import { Malformed } from '../wire/malformed.ts'
import { type ParsedRequest, parseRequestHead } from '../wire/request-head.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import type { Backend } from './backend.ts'
import type { Failure } from './failures.ts'
import { Standings } from './standings.ts'
import type { InFlight, ResponseSink } from './transport.ts'

/** Long enough for no test to meet one by chance. */
export const patience: TimeoutConfig = {
  head: 5_000,
  idle: 5_000,
  body: 5_000,
  write: 5_000,
  connect: 1_000,
  response: 5_000,
  backendIdle: 4_000,
  tunnel: 60_000,
}

/** A backend on that port of 127.0.0.1, ejected after `failures` in a row for `pause`. */
export function backendOn(port: number, failures = 3, pause: Milliseconds = 1_000): Backend {
  return {
    id: 'b0',
    pool: 'p',
    weight: 1,
    scheme: 'http',
    hostname: '127.0.0.1',
    port,
    authority: `127.0.0.1:${port}`,
    backup: false,
    limit: undefined,
    patience: { connect: undefined, response: undefined, ejects: false },
    health: new Standings(() => performance.now()).of('p', 'b0', 1, {
      ...{ failures, for: pause, longest: pause },
      ...{ mostShare: 1, statuses: [] },
    }),
  }
}

/** A request's head as it would be parsed; `text` ends with its empty line. */
export function parsedRequest(text: string): ParsedRequest {
  const request = parseRequestHead(text.slice(0, -2), { head: 16_384, fields: 100, target: 8_192 })
  if (request instanceof Malformed) throw new Error(request.reason)
  return request
}

/** Notes what becomes of an exchange, and takes everything unless told otherwise. */
export class NotingSink implements ResponseSink {
  /** Settles with the body of a whole response, or how the exchange failed. */
  readonly outcome: Promise<string | Failure>
  readonly taking: Promise<InFlight>
  readonly begun: Promise<ParsedResponse>
  readonly drain: Promise<void>
  /** What `data` answers. */
  goesOn = true
  body = ''
  readonly #settle: (outcome: string | Failure) => void
  readonly #take: (flight: InFlight) => void
  readonly #begin: (head: ParsedResponse) => void
  readonly #drain: () => void

  constructor() {
    ;({ promise: this.outcome, resolve: this.#settle } = Promise.withResolvers<string | Failure>())
    ;({ promise: this.taking, resolve: this.#take } = Promise.withResolvers<InFlight>())
    ;({ promise: this.begun, resolve: this.#begin } = Promise.withResolvers<ParsedResponse>())
    ;({ promise: this.drain, resolve: this.#drain } = Promise.withResolvers<void>())
  }

  ready(flight: InFlight): void {
    this.#take(flight)
  }

  interim(): void {}

  head(head: ParsedResponse): boolean {
    this.#begin(head)
    return true
  }

  upgraded(head: ParsedResponse): boolean {
    this.#begin(head)
    return true
  }

  data(piece: Buffer): boolean {
    this.body += piece.toString('latin1')
    return this.goesOn
  }

  flush(): boolean {
    return true
  }

  end(): void {
    this.#settle(this.body)
  }

  drained(): void {
    this.#drain()
  }

  failed(failure: Failure): void {
    this.#settle(failure)
  }
}
