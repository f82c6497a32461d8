import type { ChangeFeed } from './change-feed.ts'
import { NearSessions } from './near-sessions.ts'
import type {
  ClusterTable,
  CookieTable,
  LoadTable,
  Milliseconds,
  OperatorReads,
  SessionKey,
  SessionTable,
  Store,
  StoreRole,
} from './store.ts'

const defaultEntries = 100_000

export interface NearCacheOptions {
  /** Most sessions held, 100,000 by default; a session takes some 200 bytes. */
  readonly entries?: number | undefined
}

/** A store with a memory of its own for the sessions of this process, so that a known one costs no round trip. */
export class NearCache implements Store {
  readonly sessions: SessionTable
  readonly cookies: CookieTable
  readonly load: LoadTable
  readonly cluster: ClusterTable
  readonly operators: OperatorReads
  readonly #near: NearSessions
  readonly #store: Store
  readonly #feed: ChangeFeed

  constructor(store: Store, feed: ChangeFeed, { entries = defaultEntries }: NearCacheOptions = {}) {
    const sessions = new NearSessions(store, feed, entries)
    this.sessions = sessions
    this.cookies = sessions
    this.#near = sessions
    this.load = store.load
    this.cluster = store.cluster
    this.operators = store.operators
    this.#store = store
    this.#feed = feed
  }

  get available(): boolean {
    return this.#store.available
  }

  now(): Milliseconds {
    return this.#store.now()
  }

  roles(): readonly StoreRole[] {
    return this.#store.roles?.() ?? []
  }

  async warnings(): Promise<readonly string[]> {
    return (await this.#store.warnings?.()) ?? []
  }

  onAvailability(listener: (available: boolean) => void): void {
    this.#store.onAvailability(listener)
  }

  /** Told after what is held here has been dropped. */
  onStale(listener: (stale: SessionKey | 'all') => void): void {
    this.#feed.onChange((key) => listener(key))
    this.#feed.onSilence(() => listener('all'))
  }

  recall(pool: string, ids: readonly string[]): Promise<void> {
    return this.#store.recall(pool, ids)
  }

  onRecall(listener: (key: SessionKey) => void): void {
    this.#store.onRecall(listener)
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    this.#near[Symbol.dispose]()
    return this.#store[Symbol.asyncDispose]()
  }
}
