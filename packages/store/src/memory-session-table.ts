import { bound, buried, type MemorySession, recorded, shown, touched } from './memory-session.ts'
import { matches } from './session-filter.ts'
import type {
  Binding,
  CookieRecord,
  CookieRow,
  CookieTable,
  Milliseconds,
  Row,
  SessionFilter,
  SessionKey,
  SessionRow,
  SessionTable,
  Terms,
} from './store.ts'

/** Rows the sweep looks at in one step. */
const step = 1000

/** Sessions of one process. Past its deadline a row is gone for every look-up; the sweep only frees its memory. */
export class MemorySessionTable implements SessionTable, CookieTable {
  readonly #now: () => Milliseconds
  readonly #onStale: (key: SessionKey) => void
  readonly #pools = new Map<string, Pool>()

  /** `onStale` is told of each change of a row but its first. */
  constructor(now: () => Milliseconds, onStale: (key: SessionKey) => void) {
    this.#now = now
    this.#onStale = onStale
  }

  find(key: SessionKey): Row {
    const pool = this.#pools.get(key.pool)
    return this.#held(key)?.row ?? { state: 'absent', version: 0, epoch: pool?.epoch ?? 0 }
  }

  async bind(key: SessionKey, backend: string, seen: number, terms: Terms): Promise<Row> {
    const held = this.#held(key)
    if ((held?.row.version ?? 0) !== seen) return this.find(key)
    const session = bound(held, backend, terms, this.#moment(key, seen))
    this.#put(key, session)
    if (held) this.#onStale(key)
    return session.row
  }

  touch(key: SessionKey, { version }: Binding): void {
    const session = this.#held(key)
    if (session?.row.state !== 'bound' || session.row.version !== version) {
      this.#onStale(key)
      return
    }
    this.#put(key, touched(session, session.row, this.#now()))
  }

  record(key: SessionKey, cookies: readonly CookieRecord[]): void {
    const session = this.#held(key)
    if (session?.row.state !== 'bound') return
    const next = recorded(session, session.row, cookies, this.#now())
    if (next) this.#put(key, next)
    else this.#bury(key, session, session.row)
  }

  async end(key: SessionKey, ifVersion = 0): Promise<boolean> {
    const session = this.#held(key)
    if (session?.row.state !== 'bound') return false
    if (ifVersion !== 0 && session.row.version !== ifVersion) return false
    this.#bury(key, session, session.row)
    return true
  }

  async move(key: SessionKey, backend: string, ifVersion = 0): Promise<Row> {
    const session = this.#held(key)
    if (session?.row.state !== 'bound' || session.row.backend === backend) return this.find(key)
    if (ifVersion !== 0 && session.row.version !== ifVersion) return session.row
    const row: Binding = { ...session.row, backend, version: this.#moment(key, session.row.version).version }
    this.#put(key, { ...session, row })
    this.#onStale(key)
    return row
  }

  async show(key: SessionKey): Promise<SessionRow | undefined> {
    const session = this.#held(key)
    return session?.row.state === 'bound' ? shown(key, session, session.row, this.#now()) : undefined
  }

  async of(key: SessionKey): Promise<readonly CookieRow[]> {
    return (await this.show(key))?.cookies ?? []
  }

  async *list(pool: string, filter: SessionFilter = {}): AsyncGenerator<SessionRow> {
    for (const id of this.#pools.get(pool)?.sessions.keys() ?? []) {
      const row = await this.show({ pool, id })
      if (row && matches(row, filter, this.#now())) yield row
    }
  }

  async count(pool: string): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    const now = this.#now()
    for (const { row, ends } of this.#pools.get(pool)?.sessions.values() ?? []) {
      if (row.state === 'bound' && ends > now) counts.set(row.backend, (counts.get(row.backend) ?? 0) + 1)
    }
    return counts
  }

  /** Frees some of the rows past their deadline; the next call goes on where this one stopped. */
  sweep(): void {
    const now = this.#now()
    for (const pool of this.#pools.values()) sweepSome(pool, now)
  }

  #held({ pool, id }: SessionKey): MemorySession | undefined {
    const session = this.#pools.get(pool)?.sessions.get(id)
    return session && session.ends > this.#now() ? session : undefined
  }

  #put({ pool, id }: SessionKey, session: MemorySession): void {
    this.#pool(pool).sessions.set(id, session)
  }

  #bury(key: SessionKey, session: MemorySession, row: Binding): void {
    this.#put(key, buried(session, row, this.#moment(key, row.version)))
    this.#onStale(key)
  }

  #moment({ pool }: SessionKey, version: number): { now: Milliseconds; version: number; epoch: number } {
    const now = this.#now()
    return { now, version: Math.max(Math.floor(now * 1000), version + 1), epoch: this.#pool(pool).epoch }
  }

  #pool(name: string): Pool {
    let pool = this.#pools.get(name)
    if (!pool) {
      pool = { epoch: Math.floor(this.#now() * 1000), sessions: new Map(), next: undefined }
      this.#pools.set(name, pool)
    }
    return pool
  }
}

interface Pool {
  readonly epoch: number
  readonly sessions: Map<string, MemorySession>
  /** Where the sweep goes on. */
  next: MapIterator<[string, MemorySession]> | undefined
}

function sweepSome(pool: Pool, now: Milliseconds): void {
  pool.next ??= pool.sessions.entries()
  for (let i = 0; i < step; i++) {
    const { value, done } = pool.next.next()
    if (done) {
      pool.next = undefined
      return
    }
    const [id, { ends }] = value
    if (ends <= now) pool.sessions.delete(id)
  }
}
