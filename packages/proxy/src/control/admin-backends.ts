import type { Store } from '@sticky/store'

import { storesSessions } from '../affinity/registry.ts'
import type { BackendConfig, PoolConfig } from '../config/config.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { type AdminApi, AdminProblem, apiVersion, type BackendResource } from './admin-api.ts'
import { checkResource, poolsOf, timestamp } from './admin-resources.ts'
import type { BackendOrders } from './backend-orders.ts'
import type { HealthChecks } from './health-checks.ts'
import { sessionsOn } from './session-tables.ts'
import { unlessAway } from './store-absence.ts'
import { type BackendReport, reportsAbout, type WorkerReport } from './worker-report.ts'

/** What the operations on backends draw on. */
export interface BackendSources {
  readonly store: Store
  readonly pools: readonly PoolConfig[]
  readonly orders: Pick<BackendOrders, 'of' | 'heed' | 'refresh'>
  readonly checks: Pick<HealthChecks, 'of'>
  readonly acknowledgements: Pick<Acknowledgements, 'missing'>
  /** Asks this node's workers. */
  reports(): Promise<readonly WorkerReport[]>
}

/** The part of the admin API about backends. */
export function backendOperations(sources: BackendSources): Pick<AdminApi, 'backends' | 'backend' | 'changeBackend'> {
  const { store, pools, acknowledgements, orders } = sources
  const show = async (pool: PoolConfig, backend: BackendConfig): Promise<BackendResource> =>
    (await describeBackends(sources, { ...pool, backends: [backend] }))[0]!
  return {
    async backends(query) {
      const described = poolsOf(pools, query).map((pool) => describeBackends(sources, pool))
      return { apiVersion, backends: (await Promise.all(described)).flat() }
    },

    async backend(pool, id) {
      const named = configured(pools, pool, id)
      return { apiVersion, ...(await show(named.pool, named.backend)) }
    },

    async changeBackend(pool, id, change) {
      const named = configured(pools, pool, id)
      // A store that forgot what was said is to know it again before more is said.
      await orders.refresh()
      orders.heed(await store.cluster.order(pool, id, change))
      const unacknowledged = await acknowledgements.missing()
      return { apiVersion, ...(await show(named.pool, named.backend)), unacknowledged }
    },
  }
}

/** A configured backend and its pool; a problem where there is none. */
export function configured(
  pools: readonly PoolConfig[],
  id: string,
  backend: string,
): { readonly pool: PoolConfig; readonly backend: BackendConfig } {
  const [pool] = poolsOf(pools, { pool: id })
  const found = pool!.backends.find((candidate) => candidate.id === backend)
  if (found === undefined) throw new AdminProblem('no-such-backend', `pool ${id} has no backend named ${backend}`)
  return { pool: pool!, backend: found }
}

/** May sessions be moved there, by what operators say just now? Of one that gets nothing they would be re-bound at once. */
export function isOpen(orders: BackendSources['orders'], pool: string, { id, weight }: BackendConfig): boolean {
  const order = orders.of(pool, id)
  return (order?.state ?? 'ready') === 'ready' && (order?.weight ?? weight) > 0
}

/** The backends of a pool with what they carry. */
export async function describeBackends(
  { store, orders, checks, reports }: Pick<BackendSources, 'store' | 'orders' | 'checks' | 'reports'>,
  pool: PoolConfig,
): Promise<BackendResource[]> {
  // Exchanges before sessions: one that has ended by then has begun its session.
  const [totals, reported] = await Promise.all([unlessAway(store.operators.totals(pool.id)), reports()])
  const sessions = await sessionsOn(store, pool)
  const keepsSessions = storesSessions(pool.affinity)
  return pool.backends.map((backend) => {
    const { id, url } = backend
    const order = orders.of(pool.id, id)
    const standing = standingOf(backend, reportsAbout(reported, pool.id, id))
    const carried = {
      sessions: sessions && (sessions.get(id) ?? 0),
      inFlight: totals && (totals.get(id) ?? 0),
    }
    const wanted = order?.state ?? 'ready'
    const takesNewcomers = wanted === 'ready' && standing.weight > 0
    const drained = !takesNewcomers && carried.sessions === 0 && carried.inFlight === 0
    const since = order === undefined ? null : timestamp(order.since)
    const check = checkResource(checks.of(pool.id, id))
    return { pool: pool.id, id, url, ...standing, wanted, check, since, drained, ...carried, keepsSessions }
  })
}

/** Down only where every worker says so. */
function standingOf(
  { weight }: BackendConfig,
  reports: readonly BackendReport[],
): Pick<BackendResource, 'state' | 'weight'> {
  const seen = reports.find(({ state }) => state !== 'down') ?? reports[0]
  if (seen === undefined) return { weight, state: weight === 0 ? 'drain' : 'ready' }
  return { weight: seen.weight, state: seen.state }
}
