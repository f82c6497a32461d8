import type { BackendState } from '../upstream/backend.ts'

/** What a worker tells of itself when asked; plain data, so that it can cross processes. */
export interface WorkerReport {
  /** In prom-client's JSON form. */
  readonly metrics: readonly object[]
  readonly backends: readonly BackendReport[]
}

/** A backend as one worker sees it. */
export interface BackendReport {
  readonly pool: string
  readonly backend: string
  /** Exchanges this worker has in flight there. */
  readonly inFlight: number
  readonly state: BackendState
  readonly weight: number
  /** Has this worker taken it out? */
  readonly ejected: boolean
}
