import type { Milliseconds } from '@sticky/store'

import type { RetryConfig } from '../config/config.ts'

const WINDOW_SECONDS = 10

/**
 * How many of the requests of the last 10 s may be sent again after a backend may have worked on them: those in trouble must not get
 * a multiple of their load. One that could not be reached was given no work, and all who live there come at once when it dies.
 */
export class RetryBudget {
  readonly #share: number
  readonly #least: number
  /** By second, in turn. */
  readonly #requests = new Float64Array(WINDOW_SECONDS)
  readonly #retries = new Float64Array(WINDOW_SECONDS)
  #second = 0

  constructor({ budget, minPerSecond }: Pick<RetryConfig, 'budget' | 'minPerSecond'>) {
    this.#share = budget
    this.#least = minPerSecond * WINDOW_SECONDS
  }

  /** Counts a request that is sent for the first time; `now` is monotonic. */
  sent(now: Milliseconds): void {
    this.#turnTo(now)
    this.#requests[this.#second % WINDOW_SECONDS]! += 1
  }

  /** May one be sent again? Then it is counted. */
  takes(now: Milliseconds): boolean {
    this.#turnTo(now)
    const most = Math.max(this.#least, this.#share * sum(this.#requests))
    if (sum(this.#retries) + 1 > most) return false
    this.#retries[this.#second % WINDOW_SECONDS]! += 1
    return true
  }

  /** Forgets the seconds that have left the window. */
  #turnTo(now: Milliseconds): void {
    const second = Math.floor(now / 1000)
    if (second <= this.#second) return
    const first = Math.max(this.#second + 1, second - WINDOW_SECONDS + 1)
    for (let gone = first; gone <= second; gone++) {
      this.#requests[gone % WINDOW_SECONDS] = 0
      this.#retries[gone % WINDOW_SECONDS] = 0
    }
    this.#second = second
  }
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0)
}
