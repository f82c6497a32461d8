/** One backend as this worker sees it. */
interface Tally {
  readonly backend: string
  /** Exchanges in flight. */
  count: number
  /** Changes of `count` that Redis has not been told of; grants excluded, for Redis counted those itself. */
  delta: number
  /** Already noted among the changed. */
  changed: boolean
}

/** Backends and numbers in turn, as the load scripts take them. */
export type Numbers = (string | number)[]

/** What one worker has in flight in one pool, and what of it is still to be reported. Plain numbers: every request passes here twice. */
export class LoadLedger {
  readonly #tallies = new Map<string, Tally>()
  #changed: Tally[] = []

  begin(backend: string): void {
    const tally = this.#tally(backend)
    tally.count += 1
    this.#change(tally, 1)
  }

  /** An end without a beginning is ignored: the cluster's numbers must never fall below the truth. */
  end(backend: string): void {
    const tally = this.#tally(backend)
    if (tally.count === 0) return
    tally.count -= 1
    this.#change(tally, -1)
  }

  /** Redis counted an exchange that begins now. */
  granted(backend: string): void {
    this.#tally(backend).count += 1
  }

  /** Redis counted an exchange that nobody waits for any more. */
  grantedInVain(backend: string): void {
    this.#change(this.#tally(backend), -1)
  }

  /** Exchanges in flight. */
  count(backend: string): number {
    return this.#tallies.get(backend)?.count ?? 0
  }

  get hasChanges(): boolean {
    return this.#changed.length > 0
  }

  /** The changes since they were taken last. */
  takeChanges(): Numbers {
    const changes: Numbers = []
    for (const tally of this.#changed) {
      if (tally.delta !== 0) changes.push(tally.backend, tally.delta)
      tally.delta = 0
      tally.changed = false
    }
    this.#changed = []
    return changes
  }

  /** Everything in flight; changes from before are part of it. */
  takeCounts(): Numbers {
    this.takeChanges()
    const counts: Numbers = []
    for (const { backend, count } of this.#tallies.values()) {
      if (count > 0) counts.push(backend, count)
    }
    return counts
  }

  /** Drops backends that have nothing in flight, for backends come and go while a worker lives. */
  forgetIdle(): void {
    for (const tally of this.#tallies.values()) {
      if (tally.count === 0 && !tally.changed) this.#tallies.delete(tally.backend)
    }
  }

  #change(tally: Tally, by: number): void {
    tally.delta += by
    if (tally.changed) return
    tally.changed = true
    this.#changed.push(tally)
  }

  #tally(backend: string): Tally {
    let tally = this.#tallies.get(backend)
    if (!tally) {
      tally = { backend, count: 0, delta: 0, changed: false }
      this.#tallies.set(backend, tally)
    }
    return tally
  }
}
