import type { SessionKey } from './store.ts'

/** What a session's entry is linked by. */
export interface Linked<Entry> extends SessionKey {
  newer: Entry | undefined
  older: Entry | undefined
}

/** A bounded table of sessions that forgets the one not used for longest. Looking up allocates nothing. */
export class SessionLru<Entry extends Linked<Entry>> {
  readonly #limit: number
  readonly #pools = new Map<string, Map<string, Entry>>()
  #newest: Entry | undefined
  #oldest: Entry | undefined
  #size = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#size
  }

  /** The session's entry, which counts as used now. */
  use(key: SessionKey): Entry | undefined {
    const entry = this.peek(key)
    if (entry && entry !== this.#newest) {
      this.#unlink(entry)
      this.#link(entry)
    }
    return entry
  }

  peek({ pool, id }: SessionKey): Entry | undefined {
    return this.#pools.get(pool)?.get(id)
  }

  /** Adds the entry of a session that has none. */
  add(entry: Entry): void {
    this.#pool(entry.pool).set(entry.id, entry)
    this.#link(entry)
    this.#size++
    if (this.#size > this.#limit) this.remove(this.#oldest!)
  }

  remove(key: SessionKey): void {
    const entry = this.peek(key)
    if (!entry) return
    this.#pools.get(key.pool)!.delete(key.id)
    this.#unlink(entry)
    this.#size--
  }

  #pool(name: string): Map<string, Entry> {
    let pool = this.#pools.get(name)
    if (!pool) {
      pool = new Map()
      this.#pools.set(name, pool)
    }
    return pool
  }

  #link(entry: Entry): void {
    entry.older = this.#newest
    entry.newer = undefined
    if (this.#newest) this.#newest.newer = entry
    this.#newest = entry
    this.#oldest ??= entry
  }

  #unlink(entry: Entry): void {
    if (entry.newer) entry.newer.older = entry.older
    else this.#newest = entry.older
    if (entry.older) entry.older.newer = entry.newer
    else this.#oldest = entry.newer
  }
}
