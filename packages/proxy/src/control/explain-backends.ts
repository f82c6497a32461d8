import type { Store } from '@sticky/store'
import type { BackendConfig } from '../config/config.ts'
import type { Pool } from '../routing/topology.ts'
import type { BackendHealth, BackendState } from '../upstream/backend.ts'
import { checkResource } from './admin-resources.ts'
import type { ExplainedBackend } from './explanation.ts'
import type { HealthChecks } from './health-checks.ts'
import { unlessAway } from './store-absence.ts'
import type { BackendReport } from './worker-report.ts'

/** The backends as this node's workers see them at one moment. */
export class SeenBackends {
  readonly #reports: ReadonlyMap<string, readonly BackendReport[]>
  readonly #checks: Pick<HealthChecks, 'of'>

  constructor(reports: readonly BackendReport[], checks: Pick<HealthChecks, 'of'>) {
    this.#checks = checks
    this.#reports = Map.groupBy(reports, ({ pool, backend }) => nameOf(pool, backend))
  }

  /** Exchanges this node has in flight there. */
  inFlight(pool: string, backend: string): number {
    return this.#of(pool, backend).reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  /** As its workers agree: of those that do not, as one sees it for whom it is best. */
  health(pool: string, backend: BackendConfig): BackendHealth {
    const [best] = this.#of(pool, backend.id).toSorted((one, other) => rank(one) - rank(other))
    const { state, weight, share, canServe, takesNewcomers, ejected } = best ?? unseen(backend)
    const says = { state, weight, share, canServe, takesNewcomers, ejected }
    return { ...says, attempted: () => 0, succeeded() {}, abandoned() {}, failed() {} }
  }

  /** What health checks find. */
  check(pool: string, backend: string): ExplainedBackend['check'] {
    return checkResource(this.#checks.of(pool, backend))
  }

  /** How many workers have ejected it. */
  ejectedBy(pool: string, backend: string): number {
    return this.#of(pool, backend).filter(({ ejected }) => ejected).length
  }

  #of(pool: string, backend: string): readonly BackendReport[] {
    return this.#reports.get(nameOf(pool, backend)) ?? []
  }
}

/** The pool's backends with what they carry in the cluster. */
export async function explainedBackends(pool: Pool, seen: SeenBackends, store: Store): Promise<ExplainedBackend[]> {
  const [totals, sessions] = await Promise.all([
    unlessAway(store.operators.totals(pool.id)),
    unlessAway(store.operators.count(pool.id)),
  ])
  return pool.backends.map(({ id, health }) => ({
    id,
    weight: health.weight,
    state: health.state,
    check: seen.check(pool.id, id),
    ejectedBy: seen.ejectedBy(pool.id, id),
    inFlight: totals && (totals.get(id) ?? 0),
    sessions: sessions && (sessions.get(id) ?? 0),
  }))
}

/** As a backend is of which no worker has told. */
function unseen({ weight }: BackendConfig): Omit<BackendReport, 'pool' | 'backend' | 'inFlight'> {
  return { state: 'ready', weight, share: weight, canServe: true, takesNewcomers: weight > 0, ejected: false }
}

const ranks: readonly BackendState[] = ['ready', 'drain', 'down', 'maint']

function rank({ state }: BackendReport): number {
  return ranks.indexOf(state)
}

function nameOf(pool: string, backend: string): string {
  return `${pool} ${backend}`
}
