import type { BackendOrder, Milliseconds, Store } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import type { Log } from './log.ts'
import { unlessAway } from './store-absence.ts'
import type { Verdicts } from './verdicts.ts'

/** What a node's knowledge of orders is made from. */
export interface OrderSources {
  readonly store: Store
  /** Is told what operators want. */
  readonly verdicts: Verdicts
  /** By which the node runs now. */
  pools(): readonly PoolConfig[]
  readonly log: Log
  /** How often to ask, should nobody tell that something is new. */
  readonly heartbeat: Milliseconds
}

/** What operators want of backends, as the store has it. While the store is away, or has forgotten, what was known last counts. */
export class BackendOrders implements Disposable {
  readonly #sources: OrderSources
  readonly #known = new Map<string, BackendOrder>()
  readonly #timer: NodeJS.Timeout
  #reading: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(sources: OrderSources) {
    this.#sources = sources
    const { store, heartbeat } = sources
    store.cluster.onOrders(() => this.#look())
    store.onAvailability((available) => available && this.#look())
    this.#timer = setInterval(() => this.#look(), heartbeat).unref()
  }

  /** Undefined for a backend of which nothing was ever said. */
  of(pool: string, backend: string): BackendOrder | undefined {
    return this.#known.get(nameOf({ pool, backend }))
  }

  /** Passes on what was just ordered: the node that was asked obeys at once, whatever becomes of the store. */
  heed(order: BackendOrder): void {
    this.#take(order)
  }

  /** Resolves when all that was ordered before this call has been passed on. Rejects with StoreUnavailable. */
  refresh(): Promise<void> {
    // A reading that is under way may have missed what is asked for now.
    this.#next ??= this.#reading
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        this.#reading = this.#read()
        return this.#reading
      })
    return this.#next
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    unlessAway(this.refresh()).catch((err) => this.#sources.log.error({ err }, 'cluster table failed'))
  }

  async #read(): Promise<void> {
    const configured = this.#configured()
    const ours = [...this.#known].flatMap(([name, order]) => (configured.has(name) ? [order] : []))
    const held = await this.#sources.store.cluster.orders(ours)
    for (const order of held) this.#take(order)
    this.#forgetAllBut(new Set([...configured, ...held.map(nameOf)]))
  }

  #configured(): ReadonlySet<string> {
    return new Set(
      this.#sources.pools().flatMap((pool) => pool.backends.map(({ id }) => nameOf({ pool: pool.id, backend: id }))),
    )
  }

  /** The store gives up what was said of backends that nobody has any more. */
  #forgetAllBut(names: ReadonlySet<string>): void {
    for (const [name, { pool, backend }] of this.#known) {
      if (names.has(name)) continue
      this.#known.delete(name)
      this.#sources.verdicts.say(pool, backend, { state: 'ready', weight: undefined })
    }
  }

  #take(order: BackendOrder): void {
    const { pool, backend, state, weight } = order
    const before = this.of(pool, backend)
    if (before !== undefined && before.version >= order.version) return
    this.#known.set(nameOf(order), order)
    this.#sources.verdicts.say(pool, backend, { state, weight })
    this.#sources.log.info({ pool, backend, state, weight }, 'backend ordered')
  }
}

function nameOf({ pool, backend }: Pick<BackendOrder, 'pool' | 'backend'>): string {
  return `${pool}/${backend}`
}
