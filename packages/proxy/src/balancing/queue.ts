import type { LoadTable, Milliseconds } from '@sticky/store'

import type { QueueConfig } from '../config/config.ts'
import type { Backend } from '../upstream/backend.ts'

/** An exchange that waits for room. */
export interface Waiter {
  /** Is it content with any backend that takes newcomers? */
  readonly takesAny: boolean
  /** Those that would serve it now if they had room. */
  readonly awaited: readonly Backend[]
  /** Tries again, and leaves the queue or says `stays`; perhaps later. */
  tryAgain(): void
  /** Its time is over: it leaves. */
  timedOut(): void
}

/** Calls back once after that delay, 0 being the end of this turn of the event loop; answers how to call it off. */
export type QueueTimer = (delay: Milliseconds, callback: () => void) => () => void

/** What a queue draws on. */
export interface QueueServices {
  readonly load: LoadTable
  /** Monotonic. */
  readonly clock: () => Milliseconds
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly after?: QueueTimer
}

// On an average: each look costs one read of the cluster's totals, of each worker that has somebody waiting.
const LOOK_EVERY: Milliseconds = 100

/**
 * Who of one process waits for room in one pool, first come first served among those that the same backends would serve. An
 * exchange that ends here lets the first of them try; room that others make is seen by asking for the cluster's totals, after times
 * that differ between workers. A try that finds no room keeps its place. It outlives the topologies that its waiters were placed by.
 */
export class Queue {
  readonly #pool: string
  readonly #load: LoadTable
  readonly #clock: () => Milliseconds
  readonly #random: () => number
  readonly #after: QueueTimer
  /** In the order in which they came. */
  readonly #places = new Map<Waiter, Place>()
  readonly #freed: Backend[] = []
  #stopLooking: (() => void) | undefined
  #asking = false

  constructor(pool: string, { load, clock, random, after = processTimer }: QueueServices) {
    this.#pool = pool
    this.#load = load
    this.#clock = clock
    this.#random = random
    this.#after = after
  }

  /** How many wait. */
  get length(): number {
    return this.#places.size
  }

  /** Takes a place at the end; false: there is none left. `waited` is for how long it has waited before, `pause` how long it is not to try. */
  join(waiter: Waiter, { max, timeout }: QueueConfig, waited: Milliseconds, pause: Milliseconds): boolean {
    if (this.#places.size >= max || waited >= timeout) return false
    const came = this.#clock()
    this.#places.set(waiter, { came, until: came + timeout - waited, notBefore: came + pause, trying: false })
    this.#stopLooking ??= this.#lookLater()
    return true
  }

  /** There was no room after all. */
  stays(waiter: Waiter): void {
    const place = this.#places.get(waiter)
    if (place !== undefined) place.trying = false
  }

  /** Gives the place up; answers for how long it was held. */
  leave(waiter: Waiter): Milliseconds {
    const place = this.#places.get(waiter)
    if (place === undefined) return 0
    this.#places.delete(waiter)
    if (this.#places.size === 0) this.#stop()
    return this.#clock() - place.came
  }

  /** Would somebody who came before be overtaken by a newcomer, or by a session of that home? */
  isBefore(home: Backend | undefined): boolean {
    for (const waiter of this.#places.keys()) {
      if (home === undefined ? waiter.takesAny : awaits(waiter, home)) return true
    }
    return false
  }

  /** An exchange of this process ended there. */
  freed(backend: Backend): void {
    if (this.#freed.push(backend) === 1) this.#after(0, () => this.#hand())
  }

  /** One try for each exchange that ended. */
  #hand(): void {
    const now = this.#clock()
    for (const backend of this.#freed.splice(0)) {
      for (const [waiter, place] of this.#places) {
        if (!isReady(place, now) || !awaits(waiter, backend)) continue
        place.trying = true
        waiter.tryAgain()
        break
      }
    }
  }

  #lookLater(): () => void {
    return this.#after(LOOK_EVERY * (0.5 + this.#random()), () => this.#look())
  }

  #stop(): void {
    this.#stopLooking?.()
    this.#stopLooking = undefined
  }

  #look(): void {
    this.#stopLooking = this.#lookLater()
    this.#dismiss()
    if (this.#places.size > 0 && !this.#asking) this.#deal()
  }

  #dismiss(): void {
    const now = this.#clock()
    for (const [waiter, { until }] of [...this.#places]) if (until <= now) waiter.timedOut()
  }

  /** As many tries as there is room, by the cluster's totals; without the store, by this process's own. */
  async #deal(): Promise<void> {
    this.#asking = true
    const totals = await this.#load.totals(this.#pool).catch(() => undefined)
    this.#asking = false
    const inFlight = (id: string): number => (totals ? (totals.get(id) ?? 0) : this.#load.local(this.#pool, id))
    const room = new Map<string, number>()
    const now = this.#clock()
    for (const [waiter, place] of [...this.#places]) {
      if (this.#places.get(waiter) !== place || !isReady(place, now)) continue
      const free = waiter.awaited.find((backend) => roomOn(backend, room, inFlight) > 0)
      if (free === undefined) continue
      room.set(free.id, roomOn(free, room, inFlight) - 1)
      place.trying = true
      waiter.tryAgain()
    }
  }
}

/** Topologies before and after a reload may each have an object of their own for one backend. */
function awaits({ awaited }: Waiter, { id }: Backend): boolean {
  return awaited.some((backend) => backend.id === id)
}

function roomOn(backend: Backend, known: ReadonlyMap<string, number>, inFlight: (id: string) => number): number {
  const { id, limit = Number.POSITIVE_INFINITY } = backend
  return known.get(id) ?? limit - inFlight(id)
}

interface Place {
  readonly came: Milliseconds
  readonly until: Milliseconds
  readonly notBefore: Milliseconds
  trying: boolean
}

function isReady({ trying, notBefore }: Place, now: Milliseconds): boolean {
  return !trying && notBefore <= now
}

/** The process's own timers; they keep no process alive. */
const processTimer: QueueTimer = (delay, callback) => {
  if (delay === 0) {
    const immediate = setImmediate(callback)
    return () => clearImmediate(immediate)
  }
  const timer = setTimeout(callback, delay).unref()
  return () => clearTimeout(timer)
}
