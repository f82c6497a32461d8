import { type LoadTable, type MaybePromise, type StoreBudget, StoreUnavailable } from '@sticky/store'

import type { Backend } from '../upstream/backend.ts'
import type { SelectionPolicy } from './balancer.ts'

/** Counts an exchange there, unless the backend carries all that it may, in the whole cluster. Rejects with StoreUnavailable. */
function hasRoom(load: LoadTable, backend: Backend): MaybePromise<boolean> {
  const { pool, id, limit } = backend
  if (limit === undefined) {
    load.begin(pool, id)
    return true
  }
  // Its weight says nothing here, and may be 0.
  const reserved = load.reserve(pool, [{ id, weight: 1, limit }])
  return reserved instanceof Promise ? reserved.then(isNamed) : isNamed(reserved)
}

/** The same, but without the store, or when it is too slow, this process's own numbers decide. */
export async function hasRoomFor(load: LoadTable, backend: Backend, budget: StoreBudget): Promise<boolean> {
  try {
    const has = hasRoom(load, backend)
    return has instanceof Promise ? await budget.within(has, (had) => had && load.end(backend.pool, backend.id)) : has
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    if (load.local(backend.pool, backend.id) >= backend.limit!) return false
    load.begin(backend.pool, backend.id)
    return true
  }
}

/** A policy for backends that may be full, made of one that does not ask. */
export function heedingLimits(policy: SelectionPolicy, load: LoadTable): SelectionPolicy {
  const take = async (candidates: readonly Backend[]): Promise<Backend | undefined> => {
    let left = candidates
    while (left.length > 0) {
      const taken = await policy.take(left)
      if (taken?.limit === undefined) return taken
      load.end(taken.pool, taken.id)
      if (await hasRoom(load, taken)) return taken
      policy.unused?.(taken)
      left = left.filter((other) => other !== taken)
    }
    return undefined
  }
  return { ...policy, heedsLimits: true, take }
}

function isNamed(id: string | undefined): boolean {
  return id !== undefined
}
