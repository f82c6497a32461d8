import type { Milliseconds } from '@sticky/store'

import type { ScriptFault } from './script-exchange.ts'

/** Where facts about scripts are logged. */
export interface ScriptLog {
  info(fields: object, event: string): void
  warn(fields: object, event: string): void
}

/** Whose faults these are. */
export interface ScriptName {
  readonly pool: string
  readonly script: string
}

const logInterval: Milliseconds = 60_000
const mostTimeouts = 3
const timeoutWindow: Milliseconds = 10_000
const offTime: Milliseconds = 30_000

/** Counts what goes wrong with a script, logs it now and then, and switches off one that keeps taking too long. */
export class ScriptFaults {
  readonly counts: Record<ScriptFault, number> = { error: 0, timeout: 0, busy: 0, load: 0 }
  readonly #name: ScriptName
  readonly #log: ScriptLog
  readonly #clock: () => Milliseconds
  readonly #logged = new Map<ScriptFault, { at: Milliseconds; count: number }>()
  #timeouts: Milliseconds[] = []
  #offUntil = 0

  /** `clock` is monotonic. */
  constructor(name: ScriptName, log: ScriptLog, clock: () => Milliseconds) {
    this.#name = name
    this.#log = log
    this.#clock = clock
  }

  /** Is the script switched off now? */
  get off(): boolean {
    return this.#offUntil > 0 && this.#isStillOff()
  }

  add(fault: ScriptFault, error: unknown): void {
    this.counts[fault]++
    this.#logNowAndThen(fault, error)
    if (fault === 'timeout') this.#judge()
  }

  /** A new version begins with a clean record. */
  forgive(): void {
    this.#timeouts = []
    this.#offUntil = 0
  }

  #isStillOff(): boolean {
    if (this.#clock() < this.#offUntil) return true
    this.#offUntil = 0
    this.#log.info(this.#name, 'script switched on')
    return false
  }

  #logNowAndThen(fault: ScriptFault, err: unknown): void {
    const now = this.#clock()
    const last = this.#logged.get(fault)
    if (last !== undefined && now - last.at < logInterval) return
    // How many there were since the last line that told of any.
    const faults = this.counts[fault] - (last?.count ?? 0)
    this.#logged.set(fault, { at: now, count: this.counts[fault] })
    this.#log.warn({ ...this.#name, kind: fault, faults, err }, 'script failed')
  }

  #judge(): void {
    const now = this.#clock()
    this.#timeouts = [...this.#timeouts.filter((at) => now - at < timeoutWindow), now]
    if (this.#timeouts.length < mostTimeouts) return
    this.#timeouts = []
    this.#offUntil = now + offTime
    this.#log.warn({ ...this.#name, seconds: offTime / 1000 }, 'script switched off')
  }
}
