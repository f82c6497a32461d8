import type { Milliseconds } from './store.ts'

/**
 * May Redis be asked? Not from the first answer that did not come in time until a probe is answered in time again: an
 * answer that comes late proves nothing, and a Redis that is slow all the time must not be tried all the time.
 */
export class Breaker {
  /** How often an answer did not come in time. */
  late = 0
  #closed = false
  #away: Milliseconds = 0
  #openedAt: Milliseconds = performance.now()

  /** Begins open: nobody knows yet. */
  get closed(): boolean {
    return this.#closed
  }

  /** How long it has been open in all. */
  get away(): Milliseconds {
    return this.#away + (this.#closed ? 0 : performance.now() - this.#openedAt)
  }

  /** An answer is overdue, or cannot come any more. */
  open(): void {
    if (!this.#closed) return
    this.#closed = false
    this.#openedAt = performance.now()
  }

  /** A probe was answered in time. */
  close(): void {
    if (this.#closed) return
    this.#away = this.away
    this.#closed = true
  }
}
