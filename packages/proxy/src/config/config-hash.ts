import { createHash } from 'node:crypto'

import type { Config, PoolConfig } from './config.ts'

/** A fingerprint of what must agree between nodes, pools and routes; whatever may differ leaves it alone. */
export function configHash({ pools, routes }: Pick<Config, 'pools' | 'routes'>): string {
  const shared = { pools: pools.map(inOrder).toSorted(byId), routes }
  return createHash('sha256').update(canonical(shared)).digest('hex').slice(0, 12)
}

function inOrder(pool: PoolConfig): PoolConfig {
  return { ...pool, backends: pool.backends.toSorted(byId) }
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1
}

/** JSON whose keys are sorted, so that equal values have equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inside: unknown) =>
    typeof inside === 'object' && inside !== null && !Array.isArray(inside)
      ? Object.fromEntries(Object.entries(inside).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inside,
  )
}
