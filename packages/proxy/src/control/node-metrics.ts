import type { Store } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import { version } from '../version.ts'
import type { DataPlane } from './data-plane.ts'
import type { Metric, Sample } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric, single } from './metrics.ts'
import { unlessAway } from './store-absence.ts'

/** What the primary knows of its node and, as long as the store tells, of the cluster. */
export async function nodeMetrics(
  store: Store,
  pools: readonly PoolConfig[],
  plane: Pick<DataPlane, 'serving' | 'restarts'> | undefined,
): Promise<Metric[]> {
  const [sessions, load] = await Promise.all([
    samples(pools, (pool) => store.sessions.count(pool)),
    samples(pools, (pool) => store.load.totals(pool), { scope: 'cluster' }),
  ])
  return [
    metric(catalogue.sessions, sessions),
    metric(catalogue.backendConnections, load),
    single(catalogue.storeUp, store.available ? 1 : 0),
    single(catalogue.workers, plane?.serving ?? 0),
    single(catalogue.workerRestarts, plane?.restarts ?? 0),
    metric(catalogue.buildInfo, [{ labels: { version, node_version: process.version }, value: 1 }]),
  ]
}

/** A number for each backend that is configured or that the store knows; none while the store is away. */
async function samples(
  pools: readonly PoolConfig[],
  numbers: (pool: string) => Promise<ReadonlyMap<string, number>>,
  labels: Readonly<Record<string, string>> = {},
): Promise<Sample[]> {
  const found = await Promise.all(
    pools.map(async (pool) => {
      const known = await unlessAway(numbers(pool.id))
      if (known === null) return []
      const ids = new Set([...pool.backends.map((backend) => backend.id), ...known.keys()])
      return Array.from(ids, (backend) => ({
        labels: { pool: pool.id, backend, ...labels },
        value: known.get(backend) ?? 0,
      }))
    }),
  )
  return found.flat()
}
