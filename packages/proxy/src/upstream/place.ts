import type { Milliseconds } from '@sticky/store'

import type { EjectionConfig } from '../config/config.ts'
import type { Standing } from './backend.ts'
import { Ejection, type EjectionHost } from './failures.ts'
import type { PoolHealth } from './pool-health.ts'

/** One backend of a process, whatever topology it is part of. */
export class Place implements EjectionHost {
  readonly id: string
  readonly pool: PoolHealth
  readonly ejection: Ejection
  /** Since when it is away, as far as anybody can tell; undefined: it is well. */
  awaySince: Milliseconds | undefined
  /** When it began to serve again after it was away; undefined: it was not, since this process began. */
  since: Milliseconds | undefined
  readonly #now: () => Milliseconds
  #standing: Standing
  #wasWell: boolean

  /** `now` is monotonic. */
  constructor(id: string, pool: PoolHealth, terms: EjectionConfig, now: () => Milliseconds, standing: Standing) {
    this.id = id
    this.pool = pool
    this.ejection = new Ejection(terms, now, this)
    this.#now = now
    this.#standing = standing
    this.awaySince = this.#isWell ? undefined : now()
    this.#wasWell = this.well
  }

  get well(): boolean {
    return this.awaySince === undefined
  }

  get standing(): Standing {
    return this.#standing
  }

  set standing(standing: Standing) {
    this.#standing = standing
    this.#review()
  }

  get canServe(): boolean {
    const { state, up } = this.#standing
    if (state === 'maint') return false
    return this.pool.panics || (up && this.ejection.canServe)
  }

  mayEject(): boolean {
    return this.pool.mayEject(this)
  }

  ejected(pause: Milliseconds, reason: string): void {
    this.#review()
    this.pool.ejected(this, pause, reason)
  }

  readmitted(): void {
    this.#review()
    this.pool.readmitted(this)
  }

  get #isWell(): boolean {
    const { state, up } = this.#standing
    return up && state !== 'maint' && !this.ejection.ejected
  }

  #review(): void {
    const well = this.#isWell
    if (this.well === well) return
    this.awaySince = well ? undefined : this.#now()
    if (!well) this.since = undefined
    // Some other process may have told of it already. What never served here has just been set up.
    else if (this.#wasWell && this.since === undefined) this.pool.recovered(this)
    this.#wasWell = true
  }
}
