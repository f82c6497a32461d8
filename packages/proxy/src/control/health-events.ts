import { type Milliseconds, type Store, StoreUnavailable } from '@sticky/store'

import type { HealthWatcher } from '../upstream/pool-health.ts'
import type { Log } from './log.ts'
import type { Metric } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric } from './metrics.ts'

/** What becomes of backends in one worker: logged at each change, counted, and told to the cluster where it has to know. */
export class HealthEvents implements HealthWatcher {
  readonly #log: Log
  readonly #cluster: Pick<Store['cluster'], 'tellRecovery'>
  readonly #ejections = new Map<string, { readonly pool: string; readonly backend: string; count: number }>()
  readonly #panics = new Map<string, boolean>()

  constructor(log: Log, cluster: Pick<Store['cluster'], 'tellRecovery'>) {
    this.#log = log
    this.#cluster = cluster
  }

  ejected(pool: string, backend: string, pause: Milliseconds, reason: string): void {
    const name = `${pool}/${backend}`
    const counted = this.#ejections.get(name) ?? { pool, backend, count: 0 }
    counted.count++
    this.#ejections.set(name, counted)
    this.#log.warn({ pool, backend, reason, pause_ms: pause }, 'backend ejected')
  }

  readmitted(pool: string, backend: string): void {
    this.#log.info({ pool, backend }, 'backend readmitted')
  }

  recovered(pool: string, backend: string): void {
    this.#cluster.tellRecovery(pool, backend).catch((error: unknown) => {
      // This process begins slowly all the same, and so does each that sees for itself.
      if (!(error instanceof StoreUnavailable)) this.#log.error({ err: error }, 'cluster table failed')
    })
  }

  panicked(pool: string, panics: boolean, well: number, of: number): void {
    this.#panics.set(pool, panics)
    if (panics) this.#log.warn({ pool, well, of }, 'pool panicked')
    else this.#log.info({ pool, well, of }, 'pool calmed')
  }

  /** How it was and is, since the worker began. */
  metrics(): Metric[] {
    return [
      metric(
        catalogue.backendEjections,
        Array.from(this.#ejections.values(), ({ count, ...labels }) => ({ labels, value: count })),
      ),
      metric(
        catalogue.poolPanic,
        Array.from(this.#panics, ([pool, panics]) => ({ labels: { pool }, value: panics ? 1 : 0 })),
      ),
    ]
  }
}
