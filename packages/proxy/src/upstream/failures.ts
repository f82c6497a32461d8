import type { Milliseconds } from '@sticky/store'

import type { EjectionConfig } from '../config/config.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import type { Attempt, PassiveHealth } from './backend.ts'

/**
 * How far an exchange with a backend had come when it failed; the phase alone decides retry and blame. `unheard`: a connection kept
 * from before closed without a byte of an answer; its backend may have closed it before the request came.
 */
export type Phase = 'connect' | 'unheard' | 'before-head' | 'mid-body'

/** Why an exchange with a backend failed. */
export interface Failure {
  readonly phase: Phase
  readonly cause: 'refused' | 'reset' | 'timeout' | 'invalid'
}

// RFC 9110 9.2.2. TRACE is left out: no application needs it repeated.
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** May the request be sent again, should the backend have seen it already? */
export function isRepeatable({ method, framing }: Pick<ParsedRequest, 'method' | 'framing'>): boolean {
  return framing === 0 && IDEMPOTENT.has(method)
}

/** May the request be sent to another backend: it saw nothing, or may see it twice and no body was given away? */
export function mayRetry(failure: Failure, method: string, bodyTaken: boolean): boolean {
  if (bodyTaken) return false
  if (failure.phase === 'connect') return true
  return failure.phase !== 'mid-body' && failure.cause === 'reset' && IDEMPOTENT.has(method)
}

/** May a request whose body was kept be sent to another backend although the first may have acted on it? */
export function mayReplay({ phase, cause }: Failure): boolean {
  return phase !== 'mid-body' && cause !== 'invalid'
}

/**
 * Passive ejection of one backend: out after so many failures in a row, back with the first success. When its time is over one
 * exchange at a time may probe it.
 */
export class Ejection implements PassiveHealth {
  readonly #terms: EjectionConfig
  readonly #now: () => Milliseconds
  #failures = 0
  #ejections = 0
  #until = 0
  #attempts = 0
  /** 0: nobody probes. */
  #probe: Attempt = 0

  constructor(terms: EjectionConfig, now: () => Milliseconds) {
    this.#terms = terms
    this.#now = now
  }

  get ejected(): boolean {
    return this.#ejections > 0
  }

  get canServe(): boolean {
    return this.#ejections === 0 || (this.#probe === 0 && this.#now() >= this.#until)
  }

  attempted(): Attempt {
    if (this.#ejections === 0 || this.#probe !== 0) return 0
    this.#probe = ++this.#attempts
    return this.#probe
  }

  succeeded(): void {
    this.#failures = 0
    this.#ejections = 0
    this.#probe = 0
  }

  abandoned(attempt: Attempt): void {
    if (attempt === this.#probe) this.#probe = 0
  }

  failed(attempt: Attempt): void {
    this.#failures++
    // Many that were under way together fail together; of an ejected backend only the probe tells something new.
    const tells =
      this.#ejections > 0 ? attempt !== 0 && attempt === this.#probe : this.#failures >= this.#terms.failures
    if (!tells) return
    const wait = Math.min(this.#terms.longest, this.#terms.for * 2 ** this.#ejections)
    this.#until = this.#now() + wait
    this.#ejections++
    this.#probe = 0
  }
}
