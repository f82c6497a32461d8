import type { Milliseconds } from '@sticky/store'

/** Something that may wait too long. */
export interface Timed {
  /** On the clock of `Deadlines.now`; 0 for none. Written as often as needed, for the price of an assignment. */
  deadline: Milliseconds
  /** The deadline passed; it is 0 again. */
  expired(): void
}

const TICK: Milliseconds = 100

/** All time-outs of a worker: one coarse timer looks over everything that waits, so that no request makes a timer of its own. */
export class Deadlines implements Disposable {
  readonly #waiting = new Set<Timed>()
  readonly #timer: NodeJS.Timeout
  /** Milliseconds of a monotonic clock, as of the last tick. */
  now: Milliseconds = performance.now()

  constructor() {
    this.#timer = setInterval(() => this.#look(), TICK)
    this.#timer.unref()
  }

  add(timed: Timed): void {
    this.#waiting.add(timed)
  }

  delete(timed: Timed): void {
    this.#waiting.delete(timed)
  }

  /** A deadline so long from now, late by two ticks at most. Time in which this process stood still does not count. */
  in(wait: Milliseconds): Milliseconds {
    return this.now + TICK + wait
  }

  #look(): void {
    const now = performance.now()
    const stall = now - this.now > 2 * TICK ? now - this.now - TICK : 0
    this.now = now
    for (const timed of this.#waiting) {
      if (timed.deadline !== 0) this.#judge(timed, stall)
    }
  }

  #judge(timed: Timed, stall: Milliseconds): void {
    timed.deadline += stall
    if (timed.deadline > this.now) return
    timed.deadline = 0
    timed.expired()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}
