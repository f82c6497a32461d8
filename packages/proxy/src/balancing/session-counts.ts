import type { Milliseconds } from '@sticky/store'

/** Live sessions by backend: the cluster's numbers, at most a second old, plus what was placed here since. */
export interface SessionCounts {
  /** Kept when the numbers are fresh; rejects with StoreUnavailable when they are not and cannot be had. */
  refreshed(): Promise<void>
  of(this: void, backend: string): number
  add(backend: string): void
}

const freshFor: Milliseconds = 1000

/** Asks only when somebody wants to know, once for all who wait. */
export function sessionCounts(
  count: () => Promise<ReadonlyMap<string, number>>,
  clock: () => Milliseconds,
): SessionCounts {
  let counted: ReadonlyMap<string, number> = new Map()
  let askedAt = -Infinity
  let asking: Promise<void> | undefined
  const placed = new Map<string, number>()

  const ask = async (): Promise<void> => {
    const asked = clock()
    counted = await count()
    askedAt = asked
    placed.clear()
  }

  return {
    async refreshed() {
      if (clock() - askedAt < freshFor) return
      asking ??= ask().finally(() => {
        asking = undefined
      })
      await asking
    },
    of: (backend) => (counted.get(backend) ?? 0) + (placed.get(backend) ?? 0),
    add(backend) {
      placed.set(backend, (placed.get(backend) ?? 0) + 1)
    },
  }
}
