import { type Milliseconds, type SessionKey, StoreUnavailable, type Terms } from './store.ts'

/** A binding that the store has not confirmed: made while it was away, or lost by it. */
export interface UnconfirmedBind {
  readonly key: SessionKey
  readonly backend: string
  /** The version that its row must still have. */
  readonly seen: number
  readonly terms: Terms
}

/** More than these are not worth the memory: their sessions live on by their cookies, or begin anew. */
const most = 10_000
/** Offered at a time, so that a store that has just come back is not flooded. */
const batch = 256
const retryInterval: Milliseconds = 1000

/** Bindings to be written as soon as the store takes them, the oldest first; beyond a limit the oldest are given up. */
export class UnconfirmedBinds implements Disposable {
  readonly #binds = new Map<string, UnconfirmedBind>()
  readonly #write: (bind: UnconfirmedBind) => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #offering = false
  #over = false

  /** `write` asks the store, and rejects with `StoreUnavailable` when that takes nothing now. */
  constructor(write: (bind: UnconfirmedBind) => Promise<void>) {
    this.#write = write
  }

  has(key: SessionKey): boolean {
    return this.#binds.size > 0 && this.#binds.has(nameOf(key))
  }

  /** Keeps a binding in place of what was to be written of its session. */
  add(bind: UnconfirmedBind): void {
    const name = nameOf(bind.key)
    this.#binds.delete(name)
    this.#binds.set(name, bind)
    if (this.#binds.size > most) this.#binds.delete(this.#binds.keys().next().value!)
    this.#again()
  }

  remove(key: SessionKey): void {
    if (this.#binds.size > 0) this.#binds.delete(nameOf(key))
  }

  /** Offers all to the store, one alone first: if it does not take that, it is asked again in a second. */
  async offer(): Promise<void> {
    if (this.#offering || this.#over) return
    this.#offering = true
    try {
      for (let count = 1; this.#binds.size > 0; count = batch) {
        const offered = [...this.#binds.values()].slice(0, count)
        await Promise.all(offered.map((bind) => this.#offerOne(bind)))
      }
    } catch (failure) {
      if (!(failure instanceof StoreUnavailable)) throw failure
      this.#again()
    } finally {
      this.#offering = false
    }
  }

  [Symbol.dispose](): void {
    this.#over = true
    clearTimeout(this.#timer)
  }

  async #offerOne(bind: UnconfirmedBind): Promise<void> {
    await this.#write(bind)
    const name = nameOf(bind.key)
    // Another may have been made meanwhile.
    if (this.#binds.get(name) === bind) this.#binds.delete(name)
  }

  #again(): void {
    if (this.#timer !== undefined || this.#over) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.offer()
    }, retryInterval).unref()
  }
}

function nameOf({ pool, id }: SessionKey): string {
  return `${pool} ${id}`
}
