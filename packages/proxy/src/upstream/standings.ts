import type { Milliseconds } from '@sticky/store'

import type { EjectionConfig } from '../config/config.ts'
import type { Attempt, BackendHealth, BackendState, Standing } from './backend.ts'
import { Ejection } from './failures.ts'

const usual: Standing = { state: 'ready', up: true, weight: undefined }

/**
 * What is said of every backend of a process: by operators, by health checks, by its failures. It outlives topologies: one that is
 * built anew meets its backends as they were.
 */
export class Standings {
  readonly #now: () => Milliseconds
  readonly #known = new Map<string, { readonly terms: string; readonly place: Place }>()
  #ordered: ReadonlyMap<string, Standing> = new Map()

  /** `now` is monotonic. */
  constructor(now: () => Milliseconds) {
    this.#now = now
  }

  /** The health of a backend whose configured weight is `weight`. */
  of(pool: string, backend: string, weight: number, ejection: EjectionConfig): BackendHealth {
    const name = nameOf(pool, backend)
    const terms = JSON.stringify(ejection)
    let known = this.#known.get(name)
    if (known?.terms !== terms) {
      known = { terms, place: new Place(new Ejection(ejection, this.#now), this.#ordered.get(name) ?? usual) }
      this.#known.set(name, known)
    }
    return new Health(known.place, weight)
  }

  /** Takes all that is said of backends; of one that is not named nothing is. */
  take(ordered: readonly NamedStanding[]): void {
    this.#ordered = new Map(ordered.map((standing) => [nameOf(standing.pool, standing.backend), standing]))
    for (const [name, { place }] of this.#known) place.standing = this.#ordered.get(name) ?? usual
  }
}

/** What is said of one backend; plain data, so that it can cross processes. */
export interface NamedStanding extends Standing {
  readonly pool: string
  readonly backend: string
}

function nameOf(pool: string, backend: string): string {
  return `${pool}/${backend}`
}

/** One backend, whatever topology it is part of. */
class Place {
  readonly ejection: Ejection
  serves!: boolean
  #standing!: Standing

  constructor(ejection: Ejection, standing: Standing) {
    this.ejection = ejection
    this.standing = standing
  }

  get standing(): Standing {
    return this.#standing
  }

  set standing(standing: Standing) {
    this.#standing = standing
    this.serves = standing.up && standing.state !== 'maint'
  }
}

/** A backend as one topology has it. */
class Health implements BackendHealth {
  readonly #place: Place
  readonly #weight: number

  constructor(place: Place, weight: number) {
    this.#place = place
    this.#weight = weight
  }

  get weight(): number {
    return this.#place.standing.weight ?? this.#weight
  }

  get state(): BackendState {
    const { standing, ejection } = this.#place
    if (standing.state === 'maint') return 'maint'
    if (!standing.up || ejection.ejected) return 'down'
    return standing.state === 'drain' || this.weight === 0 ? 'drain' : 'ready'
  }

  get canServe(): boolean {
    return this.#place.serves && this.#place.ejection.canServe
  }

  get takesNewcomers(): boolean {
    return this.weight > 0 && this.#place.standing.state === 'ready' && this.canServe
  }

  get ejected(): boolean {
    return this.#place.ejection.ejected
  }

  attempted(): Attempt {
    return this.#place.ejection.attempted()
  }

  succeeded(): void {
    this.#place.ejection.succeeded()
  }

  abandoned(attempt: Attempt): void {
    this.#place.ejection.abandoned(attempt)
  }

  failed(attempt: Attempt): void {
    this.#place.ejection.failed(attempt)
  }
}
