import { createHash } from 'node:crypto'

import type { AffinityConfig, BackendTlsConfig, Config, PoolConfig } from './config.ts'

/** A fingerprint of what must agree between nodes, pools and routes; whatever may differ leaves it alone. */
export function configHash({ pools, routes, routeMatch, vhostPort, fallback }: Shared): string {
  const shared = { pools: pools.map(inOrder).toSorted(byId), routes, routeMatch, vhostPort, fallback }
  return createHash('sha256').update(canonical(shared)).digest('hex').slice(0, 12)
}

type Shared = Pick<Config, 'pools' | 'routes' | 'routeMatch' | 'vhostPort' | 'fallback'>

function inOrder(pool: PoolConfig): PoolConfig {
  const backends = pool.backends.toSorted(byId).map((backend) => ({ ...backend, tls: withoutFiles(backend.tls) }))
  return { ...pool, affinity: pool.affinity.map(unplaced), backends, tls: withoutFiles(pool.tls) }
}

/** Where a script's file is may differ. */
function unplaced(strategy: AffinityConfig): AffinityConfig {
  return strategy.strategy === 'script' ? { ...strategy, file: strategy.script } : strategy
}

/** Where certificates are may differ, and each node may show its own. */
function withoutFiles(tls: BackendTlsConfig): BackendTlsConfig {
  return { ...tls, ca: undefined, cert: undefined, key: undefined }
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
