import type { Store } from '@sticky/store'

import { recoveryTable } from '../affinity/recovery.ts'
import type { AffinityConfig, PoolConfig } from '../config/config.ts'
import { version } from '../version.ts'
import type { DataPlane } from './data-plane.ts'
import type { Metric, Sample } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric, single } from './metrics.ts'
import { unlessAway } from './store-absence.ts'
import { storeMetrics } from './store-metrics.ts'

/** What the primary knows of its node and, as long as the store tells, of the cluster. */
export async function nodeMetrics(
  store: Store,
  pools: readonly PoolConfig[],
  plane: Pick<DataPlane, 'serving' | 'restarts'> | undefined,
  warnings = 0,
): Promise<Metric[]> {
  const [sessions, load, recovery] = await Promise.all([
    samples(pools, store.operators.count),
    samples(pools, store.operators.totals, { scope: 'cluster' }),
    recoveryRows(store, pools),
  ])
  return [
    metric(catalogue.sessions, sessions),
    metric(catalogue.recoveryRows, recovery),
    metric(catalogue.backendConnections, load),
    ...storeMetrics(store),
    single(catalogue.storeWarnings, warnings),
    single(catalogue.workers, plane?.serving ?? 0),
    single(catalogue.workerRestarts, plane?.restarts ?? 0),
    metric(catalogue.buildInfo, [{ labels: { version, node_version: process.version }, value: 1 }]),
  ]
}

/** A number for each pool that has a table of them; none while the store is away. */
async function recoveryRows(store: Store, pools: readonly PoolConfig[]): Promise<Sample[]> {
  const recovering = pools.filter(({ affinity }) => affinity.some(recovers))
  const counts = await Promise.all(
    recovering.map(async ({ id }) => ({ id, counted: await unlessAway(store.operators.count(recoveryTable(id))) })),
  )
  return counts.flatMap(({ id, counted }) =>
    counted === null
      ? []
      : [{ labels: { pool: id }, value: [...counted.values()].reduce((sum, count) => sum + count, 0) }],
  )
}

function recovers(strategy: AffinityConfig): boolean {
  return strategy.strategy === 'session-cookie' && strategy.recoverBy.length > 0
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
