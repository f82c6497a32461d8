import { type LoadTable, type MaybePromise, StoreUnavailable } from '@sticky/store'

import type { Session } from '../affinity/strategy.ts'
import type { RefusalCode } from '../traffic/exchange-record.ts'
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
  choose(session: Session, tried: ReadonlySet<Backend>): MaybePromise<Backend | RefusalCode>
}

/** What a balancer composes. */
export interface BalancerParts {
  readonly backends: readonly Backend[]
  readonly byId: ReadonlyMap<string, Backend>
  readonly policy: SelectionPolicy
  readonly load: LoadTable
  /** Can a session begin now? While false newcomers are refused, whatever the policy needs. */
  readonly admits: () => boolean
}

/** Makes the balancer of a pool. */
export function createBalancer({ backends, byId, policy, load, admits }: BalancerParts): Balancer {
  return {
    choose(session, tried) {
      const home = usableHome(session, byId, tried)
      if (home !== undefined) {
        load.begin(home.pool, home.id)
        return home
      }
      if (session.known && session.whenAway !== undefined) return session.whenAway
      const candidates = backends.filter((backend) => takesNewcomers(backend) && !tried.has(backend))
      if (candidates.length === 0) return 'no-backend'
      if (!admits()) return Promise.reject(new StoreUnavailable('placing a newcomer while the store is away'))
      const taken = policy.take(candidates)
      return taken instanceof Promise ? taken.then(orFull) : orFull(taken)
    },
  }
}

/** A home that serves its own, be it draining; an id this node does not know is no home here. */
function usableHome(
  session: Session,
  byId: ReadonlyMap<string, Backend>,
  tried: ReadonlySet<Backend>,
): Backend | undefined {
  for (const id of session.home) {
    const backend = byId.get(id)
    if (backend?.health.canServe && !tried.has(backend)) return backend
  }
  return undefined
}

function takesNewcomers(backend: Backend): boolean {
  return backend.weight > 0 && backend.health.canServe
}

function orFull(taken: Backend | undefined): Backend | 'all-full' {
  return taken ?? 'all-full'
}
