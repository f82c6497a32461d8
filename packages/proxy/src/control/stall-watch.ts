import type { Milliseconds } from '@sticky/store'

import type { Log } from './log.ts'

/**
 * Says when this process did nothing for so long that others may soon take it for dead, more than a third of its lease: it was
 * stopped, or starved, or busy with one thing. Sees no stall of less than half as much.
 */
export class StallWatch implements Disposable {
  readonly #log: Log
  readonly #limit: Milliseconds
  readonly #clock: () => Milliseconds
  readonly #timer: NodeJS.Timeout
  #last: Milliseconds

  constructor(log: Log, lease: Milliseconds, clock: () => Milliseconds = () => performance.now()) {
    this.#log = log
    this.#limit = lease / 3
    this.#clock = clock
    this.#last = clock()
    this.#timer = setInterval(() => this.#look(), this.#limit / 2).unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = this.#clock()
    const stalled = now - this.#last - this.#limit / 2
    this.#last = now
    if (stalled > this.#limit) this.#log.warn({ stalled_ms: Math.round(stalled) }, 'process stalled')
  }
}
