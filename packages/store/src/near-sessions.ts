import { type ChangeFeed, unheard } from './change-feed.ts'
import { restoringTerms, unconfirmedBinding } from './near-binding.ts'
import { nowhere, type Place } from './near-places.ts'
import { NearTable } from './near-table.ts'
import { type UnconfirmedBind, UnconfirmedBinds } from './near-unconfirmed.ts'
import { RecentChanges } from './recent-changes.ts'
import {
  type Binding,
  type CookieRecord,
  type CookieRow,
  type CookieTable,
  type MaybePromise,
  type Row,
  type SessionFilter,
  type SessionKey,
  type SessionRow,
  type SessionTable,
  type Store,
  StoreUnavailable,
  type Terms,
} from './store.ts'

/**
 * Sessions this process knows, in front of a store. What is held is used at once while changes would be heard; else
 * it is read again first, unless the store is away: then it is used until it ends.
 *
 * What is bound while the store is away is held too, and written when it is back, as is what the store turns out to have
 * forgotten. Either only if nobody has changed the row since: whoever was quicker stays.
 */
export class NearSessions implements SessionTable, CookieTable, Disposable {
  readonly #store: Store
  readonly #feed: ChangeFeed
  readonly #held: NearTable
  readonly #changes = new RecentChanges()
  readonly #unconfirmed = new UnconfirmedBinds((bind) => this.#confirm(bind))

  constructor(store: Store, feed: ChangeFeed, limit: number) {
    this.#store = store
    this.#feed = feed
    this.#held = new NearTable(limit)
    feed.onChange((key, below) => this.#drop(key, below))
    store.onAvailability((available) => available && this.#unconfirmed.offer())
  }

  find(key: SessionKey, atLeast = 0): MaybePromise<Row> {
    const place = this.#held.use(key)
    if (place === nowhere || this.#held.versionAt(place) < atLeast) return this.#read(key)
    if (this.#held.deadlineAt(place) <= this.#store.now()) return this.#read(key)
    const binding = this.#held.bindingAt(place)
    if (this.#held.generationAt(place) === this.#feed.hearing(key)) return binding
    return this.#verify(key, binding)
  }

  async bind(key: SessionKey, backend: string, seen: number, terms: Terms): Promise<Row> {
    try {
      const row = await this.#bind(key, backend, seen, terms)
      this.#unconfirmed.remove(key)
      return row
    } catch (failure) {
      if (failure instanceof StoreUnavailable) this.#holdUnconfirmed({ key, backend, seen, terms })
      throw failure
    }
  }

  touch(key: SessionKey, binding: Binding): void {
    const place = this.#held.peek(key)
    if (place !== nowhere) {
      const now = this.#store.now()
      if (!this.#held.isToBeRenewed(place, now)) return
      this.#held.renew(place, now)
    }
    if (this.#unconfirmed.has(key)) return
    this.#store.sessions.touch(key, place === nowhere ? binding : this.#held.bindingAt(place))
  }

  async end(key: SessionKey, ifVersion?: number): Promise<boolean> {
    try {
      return await this.#store.sessions.end(key, ifVersion)
    } finally {
      this.#held.remove(key)
      this.#unconfirmed.remove(key)
    }
  }

  async move(key: SessionKey, backend: string, ifVersion?: number): Promise<Row> {
    try {
      return await this.#store.sessions.move(key, backend, ifVersion)
    } finally {
      this.#held.remove(key)
    }
  }

  show(key: SessionKey): Promise<SessionRow | undefined> {
    return this.#store.sessions.show(key)
  }

  list(pool: string, filter?: SessionFilter): AsyncIterable<SessionRow> {
    return this.#store.sessions.list(pool, filter)
  }

  count(pool: string): Promise<Map<string, number>> {
    return this.#store.sessions.count(pool)
  }

  record(key: SessionKey, cookies: readonly CookieRecord[]): void {
    const place = this.#held.peek(key)
    if (place !== nowhere) {
      const now = this.#store.now()
      if (this.#held.hasRecorded(place, cookies, now)) return
      this.#held.record(place, cookies, now)
    }
    this.#store.cookies.record(key, cookies)
  }

  of(key: SessionKey): Promise<readonly CookieRow[]> {
    return this.#store.cookies.of(key)
  }

  [Symbol.dispose](): void {
    this.#unconfirmed[Symbol.dispose]()
  }

  async #bind(key: SessionKey, backend: string, seen: number, terms: Terms): Promise<Row> {
    const { generation, heard } = this.#momentFor(key)
    const row = await this.#store.sessions.bind(key, backend, seen, terms)
    const place = this.#hold(key, row, heard, generation)
    if (place !== nowhere && row.state === 'bound' && row.backend === backend) this.#written(place, terms)
    return row
  }

  /** Writes a binding late, if nobody else has bound the session since. */
  async #confirm({ key, backend, seen, terms }: UnconfirmedBind): Promise<void> {
    const row = await this.#bind(key, backend, seen, terms)
    if (row.state === 'absent' && seen !== 0) await this.#bind(key, backend, 0, terms)
  }

  #holdUnconfirmed(bind: UnconfirmedBind): void {
    const binding = unconfirmedBinding(bind, this.#bindingOf(bind.key), this.#store.now())
    this.#written(this.#held.hold(bind.key, binding, unheard), bind.terms)
    this.#unconfirmed.add(bind)
  }

  /** The store has no row of a session that has not ended: it forgot. What is held is in force, and is written again. */
  #restore(key: SessionKey, binding: Binding): void {
    if (this.#unconfirmed.has(key)) return
    const terms = restoringTerms(binding, this.#store.now())
    this.#unconfirmed.add({ key, backend: binding.backend, seen: 0, terms })
    void this.#unconfirmed.offer()
  }

  async #read(key: SessionKey): Promise<Row> {
    const { generation, heard } = this.#momentFor(key)
    const row = await this.#store.sessions.find(key)
    const held = this.#bindingOf(key)
    if (held !== undefined && this.#outlives(key, held, row)) {
      if (row.state === 'absent') this.#restore(key, held)
      return held
    }
    this.#hold(key, row, heard, generation)
    return row
  }

  /** Does what is held say more than the row that was found? That may be lost, or of before a binding that is still to be written. */
  #outlives(key: SessionKey, { deadline, endsWithLastCookie, version }: Binding, row: Row): boolean {
    if (row.state === 'ended' || deadline <= this.#store.now()) return false
    if (row.state === 'bound') return row.version < version && this.#unconfirmed.has(key)
    return endsWithLastCookie !== true
  }

  /** What an answer asked for now can be trusted with when it comes. */
  #momentFor(key: SessionKey): { readonly generation: number; readonly heard: number } {
    return { generation: this.#feed.hearing(key), heard: this.#changes.heard }
  }

  #verify(key: SessionKey, binding: Binding): MaybePromise<Row> {
    if (!this.#store.available) return binding
    return this.#read(key).catch((failure) => {
      if (failure instanceof StoreUnavailable) return binding
      throw failure
    })
  }

  #bindingOf(key: SessionKey): Binding | undefined {
    const place = this.#held.peek(key)
    return place === nowhere ? undefined : this.#held.bindingAt(place)
  }

  /** Holds an answer, unless a change of its row was heard since it was asked for; where it is held now. */
  #hold(key: SessionKey, row: Row, heard: number, generation: number): Place {
    const held = this.#held.peek(key)
    if (held !== nowhere && this.#held.versionAt(held) > row.version && row.state !== 'absent') return nowhere
    if (row.state === 'ended') this.#unconfirmed.remove(key)
    if (row.state !== 'bound' || row.version < this.#changes.below(key, heard)) {
      this.#held.remove(key)
      return nowhere
    }
    return this.#held.hold(key, row, generation)
  }

  #drop(key: SessionKey, below: number): void {
    const place = this.#held.peek(key)
    if (below === 0) {
      if (place !== nowhere) this.#held.doubt(place)
      return
    }
    this.#changes.add(key, below)
    if (place !== nowhere && this.#held.versionAt(place) < below) this.#held.remove(key)
  }

  /** The store is told of a binding, and of its cookies with it. */
  #written(place: Place, { cookies }: Terms): void {
    const now = this.#store.now()
    this.#held.written(place, now)
    if (cookies) this.#held.record(place, cookies, now)
  }
}
