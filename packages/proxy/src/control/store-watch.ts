import { type Milliseconds, type Store, type StoreRole, StoreUnavailable } from '@sticky/store'

import type { Log } from './log.ts'

const interval: Milliseconds = 250

/** Logs once each change of how a way to the store fares, and once what the operator should know of its set-up. */
export class StoreWatch implements Disposable {
  readonly #store: Store
  readonly #log: Log
  readonly #last = new Map<string, Pick<StoreRole, 'available' | 'readOnly'>>()
  readonly #warned = new Set<string>()
  readonly #timer: NodeJS.Timeout
  /** Is its set-up still to be examined? */
  #isUnexamined = true
  #asking = false

  constructor(store: Store, log: Log) {
    this.#store = store
    this.#log = log
    // What it is like at the start is no change, unless it is away.
    for (const role of store.roles?.() ?? []) this.#last.set(role.role, { available: true, readOnly: false })
    this.#timer = setInterval(() => this.#look(), interval).unref()
    void this.#examine()
  }

  /** How many things there were to warn of. */
  get warnings(): number {
    return this.#warned.size
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    for (const role of this.#store.roles?.() ?? []) {
      const { available = true, readOnly = false } = this.#last.get(role.role) ?? {}
      if (role.available !== available) this.#availabilityChanged(role)
      if (role.readOnly !== readOnly) this.#writabilityChanged(role)
      this.#last.set(role.role, role)
    }
    if (this.#isUnexamined) void this.#examine()
  }

  #availabilityChanged({ role, available, reason }: StoreRole): void {
    if (!available) return this.#log.warn({ role, reason }, 'store lost')
    this.#log.info({ role }, 'store found')
    // It may be another one.
    if (role === 'upkeep') this.#isUnexamined = true
  }

  #writabilityChanged({ role, readOnly, reason }: StoreRole): void {
    if (readOnly) this.#log.error({ role, reason }, 'store refuses writes')
    else this.#log.info({ role }, 'store takes writes again')
  }

  async #examine(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    this.#isUnexamined = false
    try {
      for (const reason of (await this.#store.warnings?.()) ?? []) this.#warnOnce(reason)
    } catch (error) {
      if (error instanceof StoreUnavailable) this.#isUnexamined = true
      else this.#log.error({ err: error }, 'store not examined')
    } finally {
      this.#asking = false
    }
  }

  #warnOnce(reason: string): void {
    if (this.#warned.has(reason)) return
    this.#warned.add(reason)
    this.#log.warn({ reason }, 'store set-up')
  }
}
