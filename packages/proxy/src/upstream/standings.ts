import type { Milliseconds } from '@sticky/store'

import type { EjectionConfig, PoolConfig } from '../config/config.ts'
import type { Attempt, BackendHealth, BackendState, Standing } from './backend.ts'
import { Place } from './place.ts'
import { type HealthWatcher, PoolHealth } from './pool-health.ts'

const usual: Standing = { state: 'ready', up: true, weight: undefined }

const nobody: HealthWatcher = { ejected() {}, readmitted() {}, recovered() {}, panicked() {} }

/**
 * What is said of every backend of a process: by operators, by health checks, by its failures. It outlives topologies: one that is
 * built anew meets its backends as they were.
 */
export class Standings {
  readonly #now: () => Milliseconds
  readonly #watcher: HealthWatcher
  readonly #pools = new Map<string, PoolHealth>()
  /** By name and terms: those of a topology that is being made, and may yet be given up, stand beside those in use. */
  readonly #places = new Map<string, Place>()
  #ordered: ReadonlyMap<string, Standing> = new Map()

  /** `now` is monotonic. */
  constructor(now: () => Milliseconds, watcher: HealthWatcher = nobody) {
    this.#now = now
    this.#watcher = watcher
  }

  /** The health of a backend whose configured weight is `weight`. */
  of(pool: string, backend: string, weight: number, ejection: EjectionConfig): BackendHealth {
    const key = keyOf(pool, backend, ejection)
    let place = this.#places.get(key)
    if (place === undefined) {
      const standing = this.#ordered.get(nameOf(pool, backend)) ?? usual
      place = new Place(backend, this.#poolOf(pool), ejection, this.#now, standing)
      this.#places.set(key, place)
    }
    return new Health(place, weight)
  }

  /** These are the pools that are served from now on, all of whose backends were asked for. */
  adopt(pools: readonly PoolConfig[]): void {
    const before = new Map(this.#places)
    this.#places.clear()
    for (const pool of pools) {
      const keys = pool.backends.map(({ id }) => keyOf(pool.id, id, pool.ejection))
      for (const key of keys) this.#places.set(key, before.get(key)!)
      this.#poolOf(pool.id).adopt(
        keys.map((key) => before.get(key)!),
        pool,
      )
    }
    this.#leave(new Set(pools.map(({ id }) => id)))
  }

  /** Exchanges that began before may still ask what is gone. */
  #leave(served: ReadonlySet<string>): void {
    for (const [id, pool] of this.#pools) {
      if (served.has(id)) continue
      pool.leave()
      this.#pools.delete(id)
    }
  }

  /** Takes all that is said of backends; of one that is not named nothing is. */
  take(ordered: readonly NamedStanding[]): void {
    this.#ordered = new Map(ordered.map((standing) => [nameOf(standing.pool, standing.backend), standing]))
    for (const place of this.#places.values()) {
      place.standing = this.#ordered.get(nameOf(place.pool.id, place.id)) ?? usual
    }
    for (const pool of this.#pools.values()) pool.review()
  }

  /** Another process has seen that a backend is well again, just now. */
  recovered(pool: string, backend: string): void {
    for (const place of this.#places.values()) {
      if (place.id === backend && place.pool.id === pool) place.pool.beginSlowly(place)
    }
  }

  #poolOf(id: string): PoolHealth {
    const known = this.#pools.get(id)
    if (known !== undefined) return known
    const pool = new PoolHealth(id, this.#now, this.#watcher)
    this.#pools.set(id, pool)
    return pool
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

function keyOf(pool: string, backend: string, ejection: EjectionConfig): string {
  return `${nameOf(pool, backend)} ${JSON.stringify(ejection)}`
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

  get share(): number {
    return this.#place.pool.share(this.#place, this.weight)
  }

  get state(): BackendState {
    const { standing, well } = this.#place
    if (standing.state === 'maint') return 'maint'
    if (!well) return 'down'
    return standing.state === 'drain' || this.weight === 0 ? 'drain' : 'ready'
  }

  get canServe(): boolean {
    return this.#place.canServe
  }

  get takesNewcomers(): boolean {
    return this.weight > 0 && this.#place.standing.state === 'ready' && this.canServe
  }

  get awaySince(): Milliseconds | undefined {
    return this.#place.awaySince
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

  failed(attempt: Attempt, reason?: string): void {
    this.#place.ejection.failed(attempt, reason)
  }
}
