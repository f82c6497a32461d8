import type { SessionCount, Timestamp } from '@sticky/proxy/admin-api'

/** The number of a backend's sessions changed. */
export interface CountChange {
  readonly event: 'counted'
  readonly time: Timestamp
  readonly pool: string
  readonly backend: string
  readonly sessions: number
  /** Since the last look. */
  readonly change: number
}

/** Finds what changed from one count to the next. */
export class CountChanges {
  #before: ReadonlyMap<string, number> | undefined

  /** The backends whose count changed since the last look. The first look finds none. */
  look({ pools }: SessionCount, time: Timestamp): CountChange[] {
    const before = this.#before
    const now = pools.flatMap(({ pool, backends }) => backends.map((counted) => ({ pool, ...counted })))
    this.#before = new Map(now.map(({ pool, backend, sessions }) => [`${pool}/${backend}`, sessions]))
    if (!before) return []
    return now
      .map((count) => ({ ...count, change: count.sessions - (before.get(`${count.pool}/${count.backend}`) ?? 0) }))
      .filter(({ change }) => change !== 0)
      .map((count) => ({ event: 'counted', time, ...count }))
  }
}
