import type { MaybePromise } from '@sticky/store'

import type { Session } from '../affinity/strategy.ts'
import type { Backend } from '../upstream/backend.ts'

/** Who gets a newcomer. One function per policy in `policies.ts`. */
export interface SelectionPolicy {
  /** Chooses among backends that can take newcomers and counts the choice in the load table, in one step; undefined: all full. */
  take(candidates: readonly Backend[]): MaybePromise<Backend | undefined>
}

/** Composes affinity and policy for one pool: homes first, then the policy. */
export interface Balancer {
  /**
   * The backend for this attempt, already counted in the load table (the caller gives it back with `load.end`), or why none can
   * serve. Rejects with StoreUnavailable when a newcomer needs a choice the store cannot make now.
   */
  choose(session: Session, tried: ReadonlySet<Backend>): MaybePromise<Backend | 'no-backend' | 'all-full'>
}
