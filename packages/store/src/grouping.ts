import { atEndOfTurn } from './end-of-turn.ts'

/** The most items one script call takes: more would hold up everybody else's commands. */
const most = 128

/** Gathers what several exchanges want in one turn of the event loop, so that it goes as one call. */
export class Grouping<Item> {
  readonly #send: (items: Item[]) => void
  readonly #schedule: (flush: () => void) => void
  #items: Item[] = []
  #scheduled = false

  /** With a `delay` items wait that many milliseconds for company instead of the end of the turn. */
  constructor(send: (items: Item[]) => void, delay?: number) {
    this.#send = send
    this.#schedule = delay === undefined ? atEndOfTurn : (flush) => setTimeout(flush, delay).unref()
  }

  add(item: Item): void {
    this.#items.push(item)
    if (this.#items.length === most) {
      this.#flush()
      return
    }
    if (this.#scheduled) return
    this.#scheduled = true
    this.#schedule(this.#flushScheduled)
  }

  readonly #flushScheduled = (): void => {
    this.#scheduled = false
    this.#flush()
  }

  #flush(): void {
    const items = this.#items
    if (items.length === 0) return
    this.#items = []
    this.#send(items)
  }
}
