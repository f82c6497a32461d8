import type { BackendOrder, BackendWish, Milliseconds } from './store.ts'

/** What operators want of backends, in one process. */
export class MemoryOrders {
  readonly #now: () => Milliseconds
  readonly #orders = new Map<string, BackendOrder>()
  readonly #onChange = new Set<() => void>()

  constructor(now: () => Milliseconds) {
    this.#now = now
  }

  get all(): readonly BackendOrder[] {
    return [...this.#orders.values()]
  }

  change(pool: string, backend: string, { state, weight }: BackendWish): BackendOrder {
    const name = `${pool}/${backend}`
    const now = this.#now()
    const held = this.#orders.get(name) ?? { state: 'ready', weight: undefined, since: now, version: 0 }
    const wanted = state ?? held.state
    const order: BackendOrder = {
      ...{ pool, backend, state: wanted },
      weight: weight === undefined ? held.weight : (weight ?? undefined),
      since: wanted === held.state ? held.since : now,
      version: Math.max(Math.floor(now * 1000), held.version + 1),
    }
    this.#orders.set(name, order)
    for (const listener of this.#onChange) listener()
    return order
  }

  onChange(listener: () => void): void {
    this.#onChange.add(listener)
  }
}
