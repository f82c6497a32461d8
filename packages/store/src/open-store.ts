import { MemoryStore } from './memory-store.ts'
import { NearCache } from './near-cache.ts'
import { RedisStore, type RedisStoreOptions } from './redis-store.ts'
import { parseRedisUrl } from './redis-url.ts'
import type { Store } from './store.ts'

export interface StoreOptions extends RedisStoreOptions {
  /** Most sessions a process holds of those in Redis, 100,000 by default. */
  readonly nearEntries?: number | undefined
}

/**
 * The store a URL names: `memory:`, or a Redis, a master under Redis Sentinel or a Redis Cluster (docs/configuration.md).
 *
 * A Redis that cannot be reached is no error here: the store is unavailable until it can. Throws a `TypeError` for
 * any other URL.
 */
export function openStore(url: string, options: StoreOptions = {}): Store {
  if (url === 'memory:') return new MemoryStore()
  refuseOtherThanRedis(url)
  const store = new RedisStore(url, options)
  return new NearCache(store, store.changes, { entries: options.nearEntries })
}

function refuseOtherThanRedis(url: string): void {
  try {
    parseRedisUrl(url)
  } catch (flaw) {
    throw new TypeError(`store URL ${(flaw as Error).message}, or be memory:`, { cause: flaw })
  }
}
