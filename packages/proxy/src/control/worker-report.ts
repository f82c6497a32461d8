import type { BackendState } from '../upstream/backend.ts'

/** What a worker tells of itself when asked; plain data, so that it can cross processes. */
export interface WorkerReport {
  /** In prom-client's JSON form. */
  readonly metrics: readonly object[]
  readonly backends: readonly BackendReport[]
}

/** What the workers say of one backend. */
export function reportsAbout(reports: readonly WorkerReport[], pool: string, backend: string): BackendReport[] {
  return reports.flatMap(({ backends }) => backends).filter((one) => one.pool === pool && one.backend === backend)
}

/** A backend as one worker sees it. */
export interface BackendReport {
  readonly pool: string
  readonly backend: string
  /** Exchanges this worker has in flight there. */
  readonly inFlight: number
  readonly state: BackendState
  /** May exchanges be sent there now, and newcomers'? Of a backend that is down, too, while its pool panics or it is due to be tried. */
  readonly canServe: boolean
  readonly takesNewcomers: boolean
  readonly weight: number
  /** That weight among those of the pool's other backends now, one of which may have less than it should. */
  readonly share: number
  /** Has this worker taken it out? */
  readonly ejected: boolean
}
