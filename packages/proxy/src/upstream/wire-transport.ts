import type { Milliseconds } from '@sticky/store'

import type { TimeoutConfig } from '../config/config.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { Backend } from './backend.ts'
import { BackendConnection, type ConnectionKeeper } from './backend-connection.ts'
import type { Deadlines } from './deadlines.ts'
import { isRepeatable } from './failures.ts'
import type { InFlight, ResponseSink, Transport } from './transport.ts'

// A request that must not be repeated is not trusted to a connection the backend may be closing just now.
const FRESH: Milliseconds = 1000

/** HTTP/1.1 over net and tls, with idle connections kept for the next exchange, the latest used first. */
export class WireTransport implements Transport, ConnectionKeeper {
  readonly deadlines: Deadlines
  /** May be replaced: what waits already keeps its limit. */
  timeouts: TimeoutConfig
  readonly insecure: (backend: Backend, reason: string) => void
  readonly #idle = new Map<Backend, BackendConnection[]>()
  /** Nobody is sent there any more but by exchanges that began before. */
  readonly #retired = new WeakSet<Backend>()

  /** `insecure` takes why no connection to a backend is secure. */
  constructor(
    deadlines: Deadlines,
    timeouts: TimeoutConfig,
    insecure: (backend: Backend, reason: string) => void = () => {},
  ) {
    this.deadlines = deadlines
    this.timeouts = timeouts
    this.insecure = insecure
  }

  send(backend: Backend, request: ParsedRequest, lines: string, sink: ResponseSink, fresh: boolean): InFlight {
    const kept = fresh ? undefined : this.#take(backend, request)
    const connection = kept ?? new BackendConnection(backend, this)
    connection.start(request, lines, sink)
    return connection
  }

  #take(backend: Backend, request: ParsedRequest): BackendConnection | undefined {
    const stack = this.#idle.get(backend)
    const latest = stack?.at(-1)
    if (latest === undefined) return undefined
    const stale = !isRepeatable(request) && performance.now() - latest.idleSince >= FRESH
    if (stale) return undefined
    stack!.pop()
    return latest.usable ? latest : this.#take(backend, request)
  }

  idle(connection: BackendConnection, limit: Milliseconds): void {
    const stack = this.#idle.get(connection.backend)
    if (limit <= 0 || (stack === undefined && this.#retired.has(connection.backend))) {
      connection.close()
      return
    }
    connection.idleSince = this.deadlines.now
    connection.deadline = this.deadlines.in(limit)
    if (stack === undefined) this.#idle.set(connection.backend, [connection])
    else stack.push(connection)
  }

  closed(connection: BackendConnection): void {
    const stack = this.#idle.get(connection.backend)
    const at = stack?.lastIndexOf(connection) ?? -1
    if (at !== -1) stack!.splice(at, 1)
  }

  /** Closes the idle connections of those backends, and keeps none of theirs from now on. */
  retire(backends: readonly Backend[]): void {
    for (const backend of backends) {
      this.#retired.add(backend)
      const stack = this.#idle.get(backend) ?? []
      this.#idle.delete(backend)
      for (const connection of stack) connection.close()
    }
  }

  /** Closes the idle connections; those in use close with their exchanges. */
  [Symbol.dispose](): void {
    for (const stack of this.#idle.values()) for (const connection of [...stack]) connection.close()
  }
}
