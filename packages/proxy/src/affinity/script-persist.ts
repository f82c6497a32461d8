import type { MaybePromise, Milliseconds, Row, SessionKey, StoreBudget, StoreUnavailable } from '@sticky/store'

import type { Duration, Persistence } from './script-hooks.ts'
import { isAway, type ScriptKeys } from './script-keys.ts'
import { OperationLimit } from './script-limit.ts'

/** A key an exchange has to do with, and its row as first seen, or as bound since. */
interface Held {
  readonly key: SessionKey
  row: Row
}

/** A binding a request hook asked for before it was known who serves. */
interface Wanted {
  readonly key: SessionKey
  readonly age: Milliseconds
}

/** One exchange's view of its script's keys: what was looked up once is not asked for again, and nothing begun is forgotten. */
export class ExchangeKeys implements Persistence {
  /** What became of keys by this exchange, as persistence codes have it. */
  became: 'N' | 'P' | 'U' | 'D' = 'N'
  /** The key last bound. */
  bound: SessionKey | undefined
  /** The store's failure that a hook met, if it did. */
  failure: StoreUnavailable | undefined
  /** Look-ups and bindings under way. */
  waiting = 0
  readonly #keys: ScriptKeys
  readonly #budget: StoreBudget
  readonly #held: Held[] = []
  readonly #wanted: Wanted[] = []
  readonly #operations = new OperationLimit()
  #begun: Promise<unknown>[] = []
  #by: string | undefined
  /** How many keys were looked up before a backend served. */
  #asked = Number.POSITIVE_INFINITY

  constructor(keys: ScriptKeys, budget: StoreBudget) {
    this.#keys = keys
    this.#budget = budget
  }

  lookup(text: string | undefined): MaybePromise<string | undefined> {
    this.#operations.count()
    const key = this.#keys.keyOf(text)
    const row = key && this.#rowOf(key)
    return row instanceof Promise ? this.#follow(row.then(backendOf)) : row && backendOf(row)
  }

  add(text: string | undefined, { age }: { readonly age?: Duration } = {}): MaybePromise<void> {
    this.#operations.count()
    const key = this.#keys.keyOf(text)
    if (key === undefined) return undefined
    const wanted = { key, age: this.#keys.ageOf(age) }
    if (this.#by !== undefined) return this.#bind(wanted, this.#by)
    this.#wanted.push(wanted)
  }

  delete(text: string | undefined): MaybePromise<void> {
    this.#operations.count()
    const key = this.#keys.keyOf(text)
    if (key === undefined) return undefined
    const held = this.#held.findIndex((each) => each.key.id === key.id)
    if (held >= 0) this.#held.splice(held, 1)
    this.became = 'D'
    return this.#follow(this.#budget.within(this.#keys.end(key)))
  }

  /** The first key that led to that backend. */
  leadingTo(backend: string): SessionKey | undefined {
    return this.#held.find(({ row }) => backendOf(row) === backend)?.key
  }

  /** Did a key that the request hook looked up belong to a session that was ended? */
  get cameEnded(): boolean {
    return this.#held.some(({ row }, index) => row.state === 'ended' && index < this.#asked)
  }

  /** That backend serves: keys that led to `home` go with the session, and what a request hook wanted is bound. */
  servedBy(by: string, home: string | undefined): void {
    this.#by = by
    this.#asked = this.#held.length
    for (const held of this.#held) {
      if (home !== undefined && backendOf(held.row) === home) this.#keep(held, by, home)
    }
    for (const wanted of this.#wanted) this.#bind(wanted, by)
  }

  /** Resolves when everything begun is done; undefined if it is. Rejects as the first that failed. */
  settled(): Promise<unknown> | undefined {
    if (this.#begun.length === 0) return undefined
    const begun = this.#begun
    this.#begun = []
    return Promise.all(begun).then(() => this.settled())
  }

  #keep(held: Held, by: string, home: string): void {
    if (by === home) this.#keys.touch(held.key, held.row)
    else if (held.row.state === 'bound' && this.#keys.homes.mayLeave(home, held.row.version))
      this.#rebind(held, by, held.row.age)
  }

  #rebind(held: Held, by: string, age: Milliseconds): void {
    this.became = 'U'
    this.#follow(this.#hold(held, by, age))
  }

  #bind({ key, age }: Wanted, by: string): MaybePromise<void> {
    const row = this.#rowOf(key)
    if (row instanceof Promise) return this.#follow(row.then((found) => this.#bindTo(key, found, by, age)))
    const bound = this.#bindTo(key, row, by, age)
    return bound && this.#follow(bound)
  }

  /** Unless it is bound already. */
  #bindTo(key: SessionKey, row: Row, by: string, age: Milliseconds): Promise<void> | undefined {
    if (row.state === 'bound') return undefined
    this.became = 'P'
    return this.#hold(this.#held.find((each) => each.key.id === key.id)!, by, age)
  }

  async #hold(held: Held, by: string, age: Milliseconds): Promise<void> {
    held.row = await this.#budget.within(this.#keys.bind(held.key, held.row.version, by, age))
    if (held.row.state === 'bound') this.bound = held.key
  }

  /** As seen before in this exchange, else asked for. */
  #rowOf(key: SessionKey): MaybePromise<Row> {
    const held = this.#held.find((each) => each.key.id === key.id)
    if (held !== undefined) return held.row
    const row = this.#keys.find(key, this.#budget)
    return row instanceof Promise ? row.then((found) => this.#see(key, found)) : this.#see(key, row)
  }

  #see(key: SessionKey, row: Row): Row {
    const held = this.#held.find((each) => each.key.id === key.id)
    if (held !== undefined) return held.row
    this.#held.push({ key, row })
    return row
  }

  /** Waited for before the exchange goes on, whether or not the hook does. */
  #follow<Answer>(work: Promise<Answer>): Promise<Answer> {
    this.waiting++
    const begun = work.finally(() => {
      this.waiting--
    })
    begun.catch((cause: unknown) => {
      if (isAway(cause)) this.failure ??= cause
    })
    this.#begun.push(begun)
    return begun
  }
}

function backendOf(row: Row): string | undefined {
  return row.state === 'bound' ? row.backend : undefined
}
