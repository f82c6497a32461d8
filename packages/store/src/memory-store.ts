import { MemoryClusterTable } from './memory-cluster-table.ts'
import { MemoryLoadTable } from './memory-load-table.ts'
import { MemorySessionTable } from './memory-session-table.ts'
import type {
  ClusterTable,
  CookieTable,
  LoadTable,
  Milliseconds,
  OperatorReads,
  SessionKey,
  SessionTable,
  Store,
} from './store.ts'

const sweepInterval: Milliseconds = 1000

export interface MemoryStoreOptions {
  /** The clock that ages sessions, milliseconds since 1970; the system's by default. */
  readonly now?: (() => Milliseconds) | undefined
}

/** The store inside one process: a node alone needs no other, and all is forgotten with it. */
export class MemoryStore implements Store {
  readonly sessions: SessionTable
  readonly cookies: CookieTable
  readonly load: LoadTable = new MemoryLoadTable()
  readonly cluster: ClusterTable
  readonly operators: OperatorReads
  readonly available = true
  readonly #now: () => Milliseconds
  readonly #stale = new Set<(key: SessionKey) => void>()
  readonly #recalled = new Set<(key: SessionKey) => void>()
  readonly #sweep: NodeJS.Timeout

  constructor({ now = Date.now }: MemoryStoreOptions = {}) {
    const sessions = new MemorySessionTable(now, (key) => {
      for (const listener of this.#stale) listener(key)
    })
    this.sessions = sessions
    this.cookies = sessions
    this.cluster = new MemoryClusterTable(now)
    this.operators = {
      show: (key) => sessions.show(key),
      count: (pool) => sessions.count(pool),
      totals: (pool) => this.load.totals(pool),
    }
    this.#now = now
    this.#sweep = setInterval(() => sessions.sweep(), sweepInterval).unref()
  }

  now(): Milliseconds {
    return this.#now()
  }

  /** Never called back: this store is always there. */
  onAvailability(): void {}

  onStale(listener: (stale: SessionKey | 'all') => void): void {
    this.#stale.add(listener)
  }

  async recall(pool: string, ids: readonly string[]): Promise<void> {
    for (const id of ids) for (const listener of this.#recalled) listener({ pool, id })
  }

  onRecall(listener: (key: SessionKey) => void): void {
    this.#recalled.add(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweep)
  }
}
