import type { Milliseconds } from '@sticky/store'

import { ScriptTimeout } from './script-exchange.ts'

/** How long a script may take to load. */
export const loadTime: Milliseconds = 10_000

/** Counts an exchange's operations on keys; throws at one more than the store should have to do for it. */
export class OperationLimit {
  #operations = 0

  count(): void {
    if (++this.#operations > mostOperations)
      throw new RangeError(`persist: an exchange has at most ${mostOperations} operations`)
  }
}

const mostOperations = 100

/** What the work comes to within its limit; rejects with a ScriptTimeout after that. */
export async function within<Outcome>(
  limit: Milliseconds,
  work: Promise<Outcome>,
  keys: { readonly waiting: number } = none,
): Promise<Outcome> {
  const bound = new TimeLimit(limit, keys)
  try {
    return await Promise.race([work, bound.passed])
  } finally {
    bound.stop()
  }
}

const none = { waiting: 0 }

/** Longest wait for a hook whose look-ups are under way: the store ends each of them in its own time. */
const longestWait: Milliseconds = 5000

/** Lets a hook take so long by itself; while its look-ups are under way it waits for the store, which is not its fault. */
export class TimeLimit {
  readonly passed: Promise<never>
  readonly #limit: Milliseconds
  readonly #keys: { readonly waiting: number }
  readonly #end = performance.now() + longestWait
  readonly #expire: (timeout: ScriptTimeout) => void
  #timer: NodeJS.Timeout

  constructor(limit: Milliseconds, keys: { readonly waiting: number }) {
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => {})
    this.passed = promise
    this.#limit = limit
    this.#keys = keys
    this.#expire = reject
    this.#timer = setTimeout(() => this.#check(), limit)
  }

  /** Counts from now on. */
  restart(): void {
    this.#timer.refresh()
  }

  /** The hook is done. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #check(): void {
    const waits = this.#keys.waiting > 0 && performance.now() < this.#end
    if (waits) this.restart()
    else this.#expire(new ScriptTimeout(`took longer than its limit of ${this.#limit} ms`))
  }
}
