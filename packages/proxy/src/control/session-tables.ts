import { type Store, StoreUnavailable } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'

/** The tables in which sessions of a pool are: its own, and those of the pool with which it shares keys. */
export function sessionTables({ id, affinity }: PoolConfig): readonly string[] {
  const shared = affinity.flatMap((each) => (each.strategy === 'persistence-key' ? (each.share ?? []) : []))
  return [...new Set([id, ...shared])]
}

/** The sessions on a pool's backends, in all its tables; null while the store is away. */
export async function sessionsOn(store: Store, pool: PoolConfig): Promise<ReadonlyMap<string, number> | null> {
  const counts = new Map<string, number>()
  try {
    for (const table of sessionTables(pool)) {
      for (const [backend, count] of await store.operators.count(table)) {
        counts.set(backend, (counts.get(backend) ?? 0) + count)
      }
    }
    return counts
  } catch (error) {
    if (error instanceof StoreUnavailable) return null
    throw error
  }
}
