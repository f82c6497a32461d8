import { type LoadTable, type MaybePromise, type Milliseconds, StoreUnavailable } from '@sticky/store'

import type { Session } from '../affinity/strategy.ts'
import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import { hasRoom, hasRoomForItsOwn } from './room.ts'
import { loadSkew } from './skew.ts'

/** Who gets a newcomer. One function per policy in `policies.ts`. */
export interface SelectionPolicy {
  /** Does it look at the limits of backends itself? */
  readonly heedsLimits?: boolean
  /** Chooses among backends that can take newcomers and counts the choice in the load table, in one step; undefined: all full. */
  take(candidates: readonly Backend[]): MaybePromise<Backend | undefined>
  /** What it took last from there was full, and not taken. */
  unused?(backend: Backend): void
  /** An exchange of a known session goes there, unasked. */
  known?(home: Backend): void
}

/** Composes affinity and policy for one pool: homes first, then the policy, then backups. */
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
  /** Monotonic. */
  readonly clock: () => Milliseconds
}

/** Makes the balancer of a pool. */
export function createBalancer({ backends, byId, policy, load, admits, clock }: BalancerParts): Balancer {
  const primaries = backends.filter(({ backup }) => !backup)
  const backups = backends.filter(({ backup }) => backup)
  const skew = loadSkew([...byId.values()], load, clock)

  function choose(session: Session, tried: ReadonlySet<Backend>): MaybePromise<Backend | RefusalCode> {
    const home = usableHome(session, byId, tried)
    if (home === undefined) return session.known && session.whenAway !== undefined ? session.whenAway : place(tried)
    if (home.limit !== undefined || session.maxSkew !== undefined) return weigh(session, home, tried)
    load.begin(home.pool, home.id)
    policy.known?.(home)
    return home
  }

  /** Some homes may be full, and some sessions leave those that carry too much: that takes numbers of the whole cluster. */
  async function weigh(session: Session, home: Backend, tried: ReadonlySet<Backend>): Promise<Backend | RefusalCode> {
    const others = new Set(tried).add(home)
    if (session.maxSkew !== undefined && (await skew.isAbove(home, session.maxSkew))) {
      const lesser = await placeIfPossible(others)
      if (lesser !== undefined) return lesser
    }
    if (await hasRoomForItsOwn(load, home)) {
      policy.known?.(home)
      return home
    }
    const elsewhere = await choose(session, others)
    return elsewhere === 'no-backend' ? 'all-full' : elsewhere
  }

  async function placeIfPossible(tried: ReadonlySet<Backend>): Promise<Backend | undefined> {
    try {
      const placed = await place(tried)
      return typeof placed === 'string' ? undefined : placed
    } catch (error) {
      if (error instanceof StoreUnavailable) return undefined
      throw error
    }
  }

  function place(tried: ReadonlySet<Backend>): MaybePromise<Backend | RefusalCode> {
    const candidates = primaries.filter((backend) => backend.health.takesNewcomers && !tried.has(backend))
    const reserves = backups.filter((backend) => backend.health.takesNewcomers && !tried.has(backend))
    if (candidates.length + reserves.length === 0) return 'no-backend'
    if (!admits()) return Promise.reject(new StoreUnavailable('placing a newcomer while the store is away'))
    if (candidates.length === 0) return firstWithRoom(reserves)
    const taken = policy.take(candidates)
    if (reserves.length > 0) return orReserve(taken, reserves)
    return taken instanceof Promise ? taken.then(orFull) : orFull(taken)
  }

  async function orReserve(taken: MaybePromise<Backend | undefined>, reserves: readonly Backend[]) {
    return (await taken) ?? firstWithRoom(reserves)
  }

  async function firstWithRoom(reserves: readonly Backend[]): Promise<Backend | RefusalCode> {
    for (const backend of reserves) if (await hasRoom(load, backend)) return backend
    return 'all-full'
  }

  return { choose }
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

function orFull(taken: Backend | undefined): Backend | 'all-full' {
  return taken ?? 'all-full'
}
