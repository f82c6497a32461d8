import { touchInterval } from './ageing.ts'
import { type ChangeFeed, unheard } from './change-feed.ts'
import { SessionLru } from './lru.ts'
import { type Entry, entryOf, isFresh, prolonged, restoringTerms, unconfirmedBinding } from './near-entry.ts'
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
  readonly #held: SessionLru<Entry>
  readonly #changes = new RecentChanges()
  readonly #unconfirmed = new UnconfirmedBinds((bind) => this.#confirm(bind))

  constructor(store: Store, feed: ChangeFeed, limit: number) {
    this.#store = store
    this.#feed = feed
    this.#held = new SessionLru(limit)
    feed.onChange((key, below) => this.#drop(key, below))
    store.onAvailability((available) => available && this.#unconfirmed.offer())
  }

  find(key: SessionKey, atLeast = 0): MaybePromise<Row> {
    const entry = this.#held.use(key)
    if (!entry || entry.binding.version < atLeast) return this.#read(key)
    if (entry.binding.deadline <= this.#store.now()) return this.#read(key)
    if (entry.generation === this.#feed.hearing(key)) return entry.binding
    return this.#verify(key, entry.binding)
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
    const entry = this.#held.peek(key)
    if (entry && !this.#renew(entry)) return
    if (this.#unconfirmed.has(key)) return
    this.#store.sessions.touch(key, entry?.binding ?? binding)
  }

  async end(key: SessionKey): Promise<boolean> {
    try {
      return await this.#store.sessions.end(key)
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
    const entry = this.#held.peek(key)
    const now = this.#store.now()
    if (entry && isFresh(entry, cookies, now)) return
    if (entry) {
      entry.recorded = cookies
      entry.recordedAt = now
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
    const entry = this.#hold(key, row, heard, generation)
    if (entry && row.state === 'bound' && row.backend === backend) this.#renewed(entry, terms.cookies)
    return row
  }

  /** Writes a binding late, if nobody else has bound the session since. */
  async #confirm({ key, backend, seen, terms }: UnconfirmedBind): Promise<void> {
    const row = await this.#bind(key, backend, seen, terms)
    if (row.state === 'absent' && seen !== 0) await this.#bind(key, backend, 0, terms)
  }

  #holdUnconfirmed(bind: UnconfirmedBind): void {
    const held = this.#held.peek(bind.key)
    const entry = entryOf(bind.key, unconfirmedBinding(bind, held?.binding, this.#store.now()), unheard)
    this.#renewed(entry, bind.terms.cookies)
    if (held) this.#held.remove(bind.key)
    this.#held.add(entry)
    this.#unconfirmed.add(bind)
  }

  /** The store has no row of a session that has not ended: it forgot. What is held is in force, and is written again. */
  #restore({ pool, id, binding }: Entry): void {
    const key = { pool, id }
    if (this.#unconfirmed.has(key)) return
    const terms = restoringTerms(binding, this.#store.now())
    this.#unconfirmed.add({ key, backend: binding.backend, seen: 0, terms })
    void this.#unconfirmed.offer()
  }

  async #read(key: SessionKey): Promise<Row> {
    const { generation, heard } = this.#momentFor(key)
    const row = await this.#store.sessions.find(key)
    const held = this.#held.peek(key)
    if (held !== undefined && this.#outlives(held, row)) {
      if (row.state === 'absent') this.#restore(held)
      return held.binding
    }
    this.#hold(key, row, heard, generation)
    return row
  }

  /** Does what is held say more than the row that was found? That may be lost, or of before a binding that is still to be written. */
  #outlives(held: Entry, row: Row): boolean {
    const { deadline, endsWithLastCookie, version } = held.binding
    if (row.state === 'ended' || deadline <= this.#store.now()) return false
    if (row.state === 'bound') return row.version < version && this.#unconfirmed.has(held)
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

  /** Holds an answer, unless a change of its row was heard since it was asked for; the entry that has it now. */
  #hold(key: SessionKey, row: Row, heard: number, generation: number): Entry | undefined {
    const held = this.#held.peek(key)
    if (held && held.binding.version > row.version && row.state !== 'absent') return undefined
    if (row.state === 'ended') this.#unconfirmed.remove(key)
    if (row.state !== 'bound' || row.version < this.#changes.below(key, heard)) {
      if (held) this.#held.remove(key)
      return undefined
    }
    if (held?.binding.version === row.version) {
      held.binding = row
      held.generation = generation
      return held
    }
    const entry = entryOf(key, row, generation)
    if (held) this.#held.remove(key)
    this.#held.add(entry)
    return entry
  }

  #drop(key: SessionKey, below: number): void {
    const entry = this.#held.peek(key)
    if (below === 0) {
      if (entry) entry.generation = unheard
      return
    }
    this.#changes.add(key, below)
    if (entry && entry.binding.version < below) this.#held.remove(entry)
  }

  /** Is a renewal due? Then it counts as made. */
  #renew(entry: Entry): boolean {
    const { age } = entry.binding
    const now = this.#store.now()
    if (now - entry.touched < touchInterval(age)) return false
    entry.touched = now
    entry.binding = prolonged(entry.binding, now)
    return true
  }

  #renewed(entry: Entry, cookies: readonly CookieRecord[] | undefined): void {
    entry.touched = this.#store.now()
    if (!cookies) return
    entry.recorded = cookies
    entry.recordedAt = entry.touched
  }
}
