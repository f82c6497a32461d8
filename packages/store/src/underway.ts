import type { SessionKey } from './store.ts'

/** Watches keys while they are asked for: an answer may be older than a change told meanwhile. */
export class Underway {
  readonly #watches = new Map<string, Watch>()

  /** Begins to watch; each is ended by `end`. */
  begin(key: SessionKey): Watch {
    const name = nameOf(key)
    let watch = this.#watches.get(name)
    if (!watch) {
      watch = { askers: 0, below: 0 }
      this.#watches.set(name, watch)
    }
    watch.askers++
    return watch
  }

  end(key: SessionKey, watch: Watch): void {
    watch.askers--
    if (watch.askers === 0) this.#watches.delete(nameOf(key))
  }

  /** Notes a change: answers below that version are out of date. */
  changed(key: SessionKey, below: number): void {
    if (this.#watches.size === 0) return
    const watch = this.#watches.get(nameOf(key))
    if (watch && watch.below < below) watch.below = below
  }
}

export interface Watch {
  askers: number
  below: number
}

function nameOf({ pool, id }: SessionKey): string {
  return `${pool}/${id}`
}
