import { ReplyLimit } from './reply-limit.ts'
import { type Milliseconds, StoreUnavailable } from './store.ts'

/** How long an exchange waits for the store in all, whatever it asks, one thing after the other or several at once. */
export class StoreBudget {
  readonly #limit: Milliseconds
  #waited: Milliseconds = 0
  #waiting = 0
  #since: Milliseconds = 0

  constructor(limit: Milliseconds) {
    this.#limit = limit
  }

  /** The answer, or `StoreUnavailable` when it takes longer than may still be waited; `late` gets what comes after that. */
  async within<Answer>(answer: Promise<Answer>, late: (answer: Answer) => void = ignore): Promise<Answer> {
    if (this.#limit === Number.POSITIVE_INFINITY) return answer
    const limit = new ReplyLimit(Math.ceil(this.#left), ignore)
    if (this.#waiting++ === 0) this.#since = performance.now()
    try {
      return await (limit.limit > 0 ? limit.within(answer) : tooLate())
    } catch (failure) {
      answer.then(late, ignore)
      throw failure
    } finally {
      if (--this.#waiting === 0) this.#waited += performance.now() - this.#since
    }
  }

  /** Begins anew. */
  renew(): void {
    this.#waited = 0
  }

  get #left(): Milliseconds {
    const now = this.#waiting > 0 ? performance.now() - this.#since : 0
    return this.#limit - this.#waited - now
  }
}

/** Of who waits for as long as the store lets them. */
export const unlimited: StoreBudget = new StoreBudget(Number.POSITIVE_INFINITY)

function tooLate(): never {
  throw new StoreUnavailable('the exchange has waited for the store long enough')
}

function ignore(): void {}
