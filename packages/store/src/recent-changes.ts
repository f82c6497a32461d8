import type { SessionKey } from './store.ts'

interface Change extends SessionKey {
  readonly below: number
}

/** More changes than this while one answer is under way, and the answer counts as out of date. */
const most = 1024

/** The changes heard lately: an answer that was under way meanwhile may be older than one of them. */
export class RecentChanges {
  readonly #changes: Change[] = []
  /** All that were ever heard. */
  heard = 0

  /** Notes a change: answers below that version are out of date. */
  add({ pool, id }: SessionKey, below: number): void {
    this.#changes[this.heard++ % most] = { pool, id, below }
  }

  /** Below which version an answer is out of date that was asked for when so many had been heard. */
  below({ pool, id }: SessionKey, heardThen: number): number {
    if (this.heard - heardThen > most) return Infinity
    let below = 0
    for (let n = heardThen; n < this.heard; n++) {
      const change = this.#changes[n % most]!
      if (change.id === id && change.pool === pool) below = Math.max(below, change.below)
    }
    return below
  }
}
