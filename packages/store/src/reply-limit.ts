import { type Milliseconds, StoreUnavailable } from './store.ts'

/** Waits for replies no longer than a limit, and can give them all up at once. */
export class ReplyLimit {
  readonly limit: Milliseconds
  readonly #onTimeout: () => void
  readonly #waiting = new Set<(failure: StoreUnavailable) => void>()

  constructor(limit: Milliseconds, onTimeout: () => void) {
    this.limit = limit
    this.#onTimeout = onTimeout
  }

  /** The reply, or `StoreUnavailable` when it did not come in time. */
  within<T>(reply: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // After a stall of this process the timer is due before what has arrived is read: that comes first.
    const timer = setTimeout(() => setImmediate(late), this.limit)
    const settle = () => {
      clearTimeout(timer)
      return this.#waiting.delete(fail)
    }
    const fail = (failure: unknown) => {
      settle()
      reject(failure)
    }
    const late = () => {
      if (!this.#waiting.has(fail)) return
      this.#onTimeout()
      fail(new StoreUnavailable(`no reply from Redis within ${this.limit} ms`))
    }
    this.#waiting.add(fail)
    reply.then((value) => {
      settle()
      resolve(value)
    }, fail)
    return promise
  }

  /** Rejects whatever is being waited for. */
  giveUp(failure: StoreUnavailable): void {
    for (const fail of [...this.#waiting]) fail(failure)
  }
}
