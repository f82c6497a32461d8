import type { Milliseconds } from '@sticky/store'

import type { HealthCheckConfig } from '../config/config.ts'
import { showDuration } from '../config/duration.ts'

/** What is known of a backend by asking it. */
export interface Finding {
  /** Undefined: too little to tell. */
  readonly well: boolean | undefined
  /** Why the last check failed, and how many in a row did; undefined: it did not. */
  readonly trouble: string | undefined
}

/** What one health check is made with. */
export interface HealthCheckParts {
  readonly check: HealthCheckConfig
  /** Asks once: undefined when all is well, else why not. Never rejects, and ends with the signal. */
  ask(signal: AbortSignal): Promise<string | undefined>
  /** Is nothing to be asked of the backend now? */
  isResting(): boolean
  /** How the backend counts until something is known of it. */
  readonly isUpAtFirst: boolean
  /** Is told of each change of what is known, and how the backend counts now. */
  concluded(finding: Finding, isUp: boolean): void
  /** Uniform in [0, 1). */
  readonly random: () => number
}

const nothing: Finding = { well: undefined, trouble: undefined }

/** The first check comes soon, whatever the interval. */
const soonest: Milliseconds = 1_000

/** Asks one backend again and again, one question at a time, and concludes from several answers in a row. */
export class HealthCheck implements Disposable {
  passed = 0
  failed = 0
  readonly #parts: HealthCheckParts
  #finding = nothing
  #isUpAtFirst: boolean
  /** Answers of one kind in a row: above 0 good ones, below 0 bad ones. */
  #row = 0
  #timer: NodeJS.Timeout
  #asking: AbortController | undefined
  #over = false

  constructor(parts: HealthCheckParts) {
    this.#parts = parts
    this.#isUpAtFirst = parts.isUpAtFirst
    this.#timer = this.#in(Math.min(parts.check.interval, soonest) * parts.random())
  }

  get finding(): Finding {
    return this.#finding
  }

  [Symbol.dispose](): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#asking?.abort('given up')
  }

  #in(delay: Milliseconds): NodeJS.Timeout {
    return setTimeout(() => this.#look(), delay).unref()
  }

  async #look(): Promise<void> {
    if (!this.#parts.isResting()) await this.#ask()
    if (this.#over) return
    if (this.#parts.isResting()) this.#forget()
    const { interval, jitter } = this.#parts.check
    this.#timer = this.#in(interval * (1 + jitter * (2 * this.#parts.random() - 1)))
  }

  async #ask(): Promise<void> {
    const { timeout } = this.#parts.check
    const asking = new AbortController()
    this.#asking = asking
    const limit = setTimeout(() => asking.abort(`no answer within ${showDuration(timeout)}`), timeout)
    const reason = await this.#parts.ask(asking.signal)
    clearTimeout(limit)
    if (!this.#over && !this.#parts.isResting()) this.#take(reason)
  }

  #take(reason: string | undefined): void {
    if (reason === undefined) this.#pass()
    else this.#fail(reason)
  }

  #pass(): void {
    this.passed++
    this.#row = Math.max(this.#row, 0) + 1
    const { well } = this.#finding
    // What was never found unwell needs no proof of being well again.
    const isWell = well !== false || this.#row >= this.#parts.check.rise
    this.#conclude({ well: isWell, trouble: undefined })
  }

  #fail(reason: string): void {
    const { fall } = this.#parts.check
    this.failed++
    this.#row = Math.min(this.#row, 0) - 1
    const { well } = this.#finding
    const isUnwell = !(well ?? this.#isUpAtFirst) || -this.#row >= fall
    const trouble = `${Math.min(-this.#row, fall)} of ${fall} failed: ${reason}`
    this.#conclude({ well: isUnwell ? false : well, trouble })
  }

  #conclude(finding: Finding): void {
    const { well } = this.#finding
    this.#finding = finding
    if (finding.well !== well) this.#parts.concluded(finding, finding.well ?? this.#isUpAtFirst)
  }

  #forget(): void {
    this.#row = 0
    this.#isUpAtFirst = this.#parts.check.initially === 'up'
    this.#conclude(nothing)
  }
}
