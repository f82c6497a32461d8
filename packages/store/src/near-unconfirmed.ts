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
/** Of one pool offered at a time, so that a store that has just come back is not flooded. */
const batch = 256
const retryInterval: Milliseconds = 1000

/**
 * Bindings to be written as soon as the store takes them; beyond a limit the oldest are given up.
 *
 * A part of the store may take none while others do, such as the slots of a master that is dead. So pools do not wait for each
 * other, and another binding is the first each time.
 */
export class UnconfirmedBinds implements Disposable {
  readonly #binds = new Map<string, UnconfirmedBind>()
  readonly #write: (bind: UnconfirmedBind) => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #offering = false
  #offers = 0
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

  /** Offers all to the store, until it takes none of those it is offered at a time; the rest again in a second. */
  async offer(): Promise<void> {
    if (this.#offering || this.#over) return
    this.#offering = true
    try {
      const pools = Map.groupBy(this.#fromAnother(), ({ key }) => key.pool)
      await Promise.all([...pools.values()].map((binds) => this.#offerInTurn(binds)))
    } finally {
      this.#offering = false
    }
    if (this.#binds.size > 0) this.#again()
  }

  [Symbol.dispose](): void {
    this.#over = true
    clearTimeout(this.#timer)
  }

  /** All, beginning with another one than last time. */
  #fromAnother(): readonly UnconfirmedBind[] {
    const binds = [...this.#binds.values()]
    const first = (this.#offers++ * batch) % Math.max(binds.length, 1)
    return binds.slice(first).concat(binds.slice(0, first))
  }

  async #offerInTurn(binds: readonly UnconfirmedBind[]): Promise<void> {
    for (let first = 0; first < binds.length; first += batch) {
      const taken = await Promise.all(binds.slice(first, first + batch).map((bind) => this.#isTaken(bind)))
      if (!taken.includes(true)) return
    }
  }

  async #isTaken(bind: UnconfirmedBind): Promise<boolean> {
    // Its session may have ended while others were offered, or another binding of it been made.
    if (!this.#isHeld(bind)) return true
    try {
      await this.#write(bind)
    } catch (failure) {
      if (failure instanceof StoreUnavailable) return false
      throw failure
    }
    if (this.#isHeld(bind)) this.#binds.delete(nameOf(bind.key))
    return true
  }

  #isHeld(bind: UnconfirmedBind): boolean {
    return this.#binds.get(nameOf(bind.key)) === bind
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
