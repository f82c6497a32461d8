import type { LoadTable, MaybePromise, Milliseconds } from '@sticky/store'

import type { Backend } from '../upstream/backend.ts'

/** Who carries too much, by the cluster's totals. */
export interface LoadSkew {
  /** Does the home carry more than so many times the pool's mean load by weight? Never when that is not known. */
  isAbove(home: Backend, times: number): MaybePromise<boolean>
}

const freshFor: Milliseconds = 1_000
// Asked for again before they are old, so that a busy pool waits for no answer.
const refreshAfter: Milliseconds = 500

/** Asks the load table only while somebody wants to know, and makes nobody wait as long as the totals are less than a second old. */
export function loadSkew(backends: readonly Backend[], load: LoadTable, clock: () => Milliseconds): LoadSkew {
  let totals: ReadonlyMap<string, number> | undefined
  let askedAt = -Infinity
  let asking: Promise<void> | undefined

  const ask = async (pool: string): Promise<void> => {
    const asked = clock()
    try {
      totals = await load.totals(pool)
      askedAt = asked
    } catch {
      totals = undefined
    } finally {
      asking = undefined
    }
  }

  const judge = (home: Backend, times: number): boolean => {
    const peers = backends.filter(({ backup, health }) => !backup && health.takesNewcomers)
    if (totals === undefined || !peers.includes(home)) return false
    let sum = 0
    for (const { id, weight } of peers) sum += (totals.get(id) ?? 0) / weight
    // Exchanges come whole: one is not too much for a pool that has only this one.
    const most = Math.ceil((times * sum * home.weight) / peers.length)
    return (totals.get(home.id) ?? 0) > most
  }

  return {
    isAbove(home, times) {
      const old = clock() - askedAt
      if (old >= refreshAfter) asking ??= ask(home.pool)
      return old < freshFor ? judge(home, times) : asking!.then(() => judge(home, times))
    },
  }
}
