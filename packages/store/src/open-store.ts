import { MemoryStore } from './memory-store.ts'
import { NearCache } from './near-cache.ts'
import { RedisStore, type RedisStoreOptions } from './redis-store.ts'
import type { Store } from './store.ts'

export interface StoreOptions extends RedisStoreOptions {
  /** Most sessions a process holds of those in Redis, 100,000 by default. */
  readonly nearEntries?: number | undefined
}

/**
 * The store a URL names: `memory:`, or `redis://` and `rediss://` with optional user, password and database number.
 *
 * A Redis that cannot be reached is no error here: the store is unavailable until it can. Throws a `TypeError` for
 * any other URL.
 */
export function openStore(url: string, options: StoreOptions = {}): Store {
  const { protocol } = new URL(url)
  if (protocol === 'memory:') return new MemoryStore()
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new TypeError(`store URL must begin with memory:, redis:// or rediss://, got ${protocol}`)
  }
  const store = new RedisStore(url, options)
  return new NearCache(store, store.changes, { entries: options.nearEntries })
}
