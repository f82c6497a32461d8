import type { Binding, MaybePromise, Row, SessionKey } from '@sticky/store'

import type { Backend } from '../upstream/backend.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import type { KeyKeeper } from './key-keeper.ts'
import type { KeyChange, LearnedKey } from './learned-key.ts'
import type { PersistenceCode, Session } from './strategy.ts'

/** The row under a key that a request brought. */
export interface KeyFound {
  readonly source: LearnedKey
  readonly key: SessionKey
  readonly row: Row
}

const nowhere: readonly string[] = []

/** A request's session as its application's cookies tell of it, be it known or not yet. */
export class KeySession implements Session {
  readonly home: readonly string[]
  key: SessionKey | undefined
  readonly #keeper: KeyKeeper
  readonly #field: string | undefined
  readonly #found: KeyFound | undefined
  readonly #binding: Binding | undefined
  #came: 'N' | 'I' | 'E' | 'V' | 'D'
  #became: 'N' | 'P' | 'U' | 'D' = 'N'

  /** `found` is what the request's key led to, if it brought one; `field` its Cookie field. */
  constructor(keeper: KeyKeeper, field: string | undefined, found: KeyFound | undefined) {
    const binding = found?.row.state === 'bound' ? found.row : undefined
    this.home = binding === undefined ? nowhere : keeper.homes.at(binding.backend)
    this.key = binding && found?.key
    this.#keeper = keeper
    this.#field = field
    this.#found = found
    this.#binding = binding
    this.#came = found === undefined ? 'N' : codes[found.row.state]
  }

  get known(): boolean {
    return this.#binding !== undefined
  }

  get persistence(): PersistenceCode {
    return `${this.#came}${this.#became}`
  }

  get reason(): string {
    const source = this.#found?.source.name
    if (source === undefined) return 'persistence-key: no key'
    if (!this.known) return `persistence-key: the key of ${source} leads nowhere`
    return `persistence-key: ${source} is the key of session ${this.key?.id}, at home on ${this.home[0]}`
  }

  served(by: Backend, response: ResponseHead): MaybePromise<boolean> {
    if (this.known && by.id !== this.home[0]) this.#came = 'D'
    const changes = this.#keeper.changesBy(response).filter((change) => !this.#isNothingNew(change))
    return changes.length === 0 ? this.#keep(by) : this.#change(changes, by)
  }

  /** The value a session is known by, set once more. */
  #isNothingNew({ set }: KeyChange): boolean {
    return this.known && set?.id === this.#found?.key.id
  }

  #keep(by: Backend): MaybePromise<boolean> {
    const [home] = this.home
    const [found, binding] = [this.#found, this.#binding]
    if (found === undefined || binding === undefined) return false
    // A home that only other nodes know is theirs: a rolling change of configuration must not move sessions.
    if (by.id !== home && this.#keeper.homes.know(home)) return this.#bind(found.source, found.key, by, 'U')
    this.#keeper.touch(found.key, binding)
    return true
  }

  async #change(changes: readonly KeyChange[], by: Backend): Promise<boolean> {
    for (const { source, set } of changes) {
      if (set === undefined) this.#end(source)
      else await this.#bind(source, set, by, 'P')
    }
    // A value that was replaced or deleted ages alone.
    const isReplaced = changes.some(({ source }) => source === this.#found?.source)
    const kept = !isReplaced && (await this.#keep(by))
    return kept || this.known || changes.some(({ set }) => set !== undefined)
  }

  async #bind(source: LearnedKey, key: SessionKey, by: Backend, becomes: 'P' | 'U'): Promise<boolean> {
    const seen = key.id === this.#found?.key.id ? this.#found.row.version : 0
    this.key = key
    this.#became = becomes
    await this.#keeper.bind(source, key, seen, by.id)
    return true
  }

  #end(source: LearnedKey): void {
    const key = source === this.#found?.source ? this.#found.key : this.#field && source.presentedIn(this.#field)
    if (!key) return
    this.#keeper.end(key)
    if (this.known) this.#became = 'D'
  }
}

const codes = { bound: 'V', ended: 'E', absent: 'I' } as const satisfies Record<Row['state'], string>
