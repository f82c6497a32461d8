import type { Milliseconds } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import type { Place } from './place.ts'

/** What a pool says of the health of its backends together. */
export type PoolHealthTerms = Pick<PoolConfig, 'panicBelow' | 'slowStart'> & {
  readonly ejection: Pick<PoolConfig['ejection'], 'mostShare'>
}

/** Is told what becomes of the backends of a process. */
export interface HealthWatcher {
  /** Its failures have put a backend out, for so long at first. */
  ejected(pool: string, backend: string, pause: Milliseconds, reason: string): void
  readmitted(pool: string, backend: string): void
  /** A backend that was away is well again, as this process was the first to see. */
  recovered(pool: string, backend: string): void
  /** So few of the backends are well that the others are used too; or no more. */
  panicked(pool: string, panics: boolean, well: number, of: number): void
}

/** Parts of a weight, in which it grows. */
const parts = 10

/** The backends of one pool together: how many may be out, when that is ignored, and how one that returns begins. */
export class PoolHealth {
  readonly id: string
  /** While true, what checks and failures say of backends is ignored. */
  panics = false
  readonly #now: () => Milliseconds
  readonly #watcher: HealthWatcher
  #members: readonly Place[] = []
  #mostOut = Number.POSITIVE_INFINITY
  #panicBelow = 0
  #slowStart: Milliseconds | undefined
  /** When the last of them has all of its weight again; 0: all have. */
  #slowUntil: Milliseconds = 0

  constructor(id: string, now: () => Milliseconds, watcher: HealthWatcher) {
    this.id = id
    this.#now = now
    this.#watcher = watcher
  }

  /** These are its backends now, and its terms. */
  adopt(members: readonly Place[], { ejection, panicBelow, slowStart }: PoolHealthTerms): void {
    this.#members = members
    this.#mostOut = Math.max(1, Math.floor(ejection.mostShare * members.length + 1e-9))
    this.#panicBelow = panicBelow
    this.#slowStart = slowStart
    if (slowStart === undefined) this.#slowUntil = 0
    this.review()
  }

  /** It is served no more, so nothing is said of it any more. */
  leave(): void {
    this.#members = []
    this.review()
  }

  /** May one more be out? The last that serves never. */
  mayEject(place: Place): boolean {
    if (!this.#members.includes(place)) return true
    const out = this.#members.filter(({ ejection }) => ejection.ejected).length
    return out < this.#mostOut && this.#members.some((other) => other !== place && other.well)
  }

  ejected(place: Place, pause: Milliseconds, reason: string): void {
    this.#watcher.ejected(this.id, place.id, pause, reason)
    this.review()
  }

  readmitted(place: Place): void {
    this.#watcher.readmitted(this.id, place.id)
    this.review()
  }

  recovered(place: Place): void {
    if (this.#slowStart === undefined) return
    this.beginSlowly(place)
    this.#watcher.recovered(this.id, place.id)
  }

  /** It has begun to serve again just now. */
  beginSlowly(place: Place): void {
    if (this.#slowStart === undefined) return
    place.since = this.#now()
    this.#slowUntil = place.since + this.#slowStart
  }

  /** The weight of a backend beside those of the others at this moment. */
  share(place: Place, weight: number): number {
    if (this.#slowUntil === 0) return weight
    const now = this.#now()
    if (now >= this.#slowUntil) {
      this.#slowUntil = 0
      return weight
    }
    return weight === 0 ? 0 : Math.max(1, Math.floor(weight * parts * this.#grown(place, now)))
  }

  /** How much of its weight it has, from a tenth to all. */
  #grown({ since }: Place, now: Milliseconds): number {
    if (since === undefined) return 1
    return Math.min(1, Math.max(1 / parts, (now - since) / this.#slowStart!))
  }

  /** Looks anew whether enough of them are well. */
  review(): void {
    const counted = this.#members.filter(({ standing }) => standing.state !== 'maint')
    const well = counted.filter((place) => place.well).length
    const panics = well < this.#panicBelow * counted.length
    if (panics === this.panics) return
    this.panics = panics
    this.#watcher.panicked(this.id, panics, well, counted.length)
  }
}
