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

/** Whom an ejection asks, and tells. */
export interface EjectionHost {
  /** May one more backend of the pool be out? */
  mayEject(): boolean
  /** It is out, for so long at first, and why. */
  ejected(pause: Milliseconds, reason: string): void
  /** It is back. */
  readmitted(): void
}

/**
 * Passive ejection of one backend: out after so many failures in a row, back with the first success. When its time is over one
 * exchange at a time may probe it.
 */
export class Ejection implements PassiveHealth {
  readonly #terms: EjectionConfig
  readonly #now: () => Milliseconds
  readonly #host: EjectionHost
  #failures = 0
  #ejections = 0
  #until = 0
  #attempts = 0
  /** 0: nobody probes. */
  #probe: Attempt = 0

  constructor(terms: EjectionConfig, now: () => Milliseconds, host: EjectionHost) {
    this.#terms = terms
    this.#now = now
    this.#host = host
  }

  get ejected(): boolean {
    return this.#ejections > 0
  }

  get canServe(): boolean {
    return this.#ejections === 0 || (this.#probe === 0 && this.#now() >= this.#until)
  }

  attempted(): Attempt {
    if (this.#ejections === 0 || !this.canServe) return 0
    this.#probe = ++this.#attempts
    return this.#probe
  }

  succeeded(): void {
    this.#failures = 0
    if (this.#ejections === 0) return
    this.#ejections = 0
    this.#probe = 0
    this.#host.readmitted()
  }

  abandoned(attempt: Attempt): void {
    if (attempt === this.#probe) this.#probe = 0
  }

  failed(attempt: Attempt, reason = 'failed'): void {
    this.#failures++
    if (this.#ejections === 0) this.#ejectIfDue(reason)
    // Many that were under way together fail together; of an ejected backend only the probe tells something new.
    else if (attempt !== 0 && attempt === this.#probe) this.#pause()
  }

  #ejectIfDue(reason: string): void {
    if (this.#failures < this.#terms.failures || !this.#host.mayEject()) return
    this.#host.ejected(this.#pause(), `${this.#terms.failures} in a row: ${reason}`)
  }

  #pause(): Milliseconds {
    const pause = Math.min(this.#terms.longest, this.#terms.for * 2 ** this.#ejections)
    this.#until = this.#now() + pause
    this.#ejections++
    this.#probe = 0
    return pause
  }
}
