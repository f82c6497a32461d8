import {
  type LoadTable,
  type MaybePromise,
  type Milliseconds,
  type StoreBudget,
  StoreUnavailable,
  unlimited,
} from '@sticky/store'

import type { Session } from '../affinity/strategy.ts'
import type { UnavailableAction } from '../config/config.ts'
import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import { type AwayReason, Elsewhere, type HomeBarred } from './elsewhere.ts'
import { HomesAway, reasonOf } from './homes-away.ts'
import { hasRoomFor } from './room.ts'
import { loadSkew } from './skew.ts'
import { standIns } from './stand-ins.ts'

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

/** What becomes of an attempt: a backend, one that is not the session's home, or why none can serve. */
export type Choice = Backend | Elsewhere | RefusalCode | HomeBarred

/** Composes affinity and policy for one pool: homes first, then the policy, then backups. */
export interface Balancer {
  /**
   * The backend for this attempt, already counted in the load table (the caller gives it back with `load.end`), or why none can
   * serve. A choice that the store cannot make in time is made here; `budget` is unlimited by default.
   */
  choose(session: Session, tried: ReadonlySet<Backend>, budget?: StoreBudget): MaybePromise<Choice>
}

/** What a balancer composes. */
export interface BalancerParts {
  readonly backends: readonly Backend[]
  readonly byId: ReadonlyMap<string, Backend>
  readonly policy: SelectionPolicy
  readonly load: LoadTable
  /** Chooses instead of the policy when that needs the store, and the store is away. */
  readonly whenAway: SelectionPolicy
  /** What becomes of sessions whose home cannot serve. */
  readonly onUnavailable: UnavailableAction
  /** Monotonic. */
  readonly clock: () => Milliseconds
}

/** What there is to choose from, and how long that may take. */
interface Attempt {
  readonly tried: ReadonlySet<Backend>
  readonly budget: StoreBudget
}

/** Makes the balancer of a pool. */
export function createBalancer(parts: BalancerParts): Balancer {
  const { backends, byId, policy, whenAway, load, clock } = parts
  const primaries = backends.filter(({ backup }) => !backup)
  const backups = backends.filter(({ backup }) => backup)
  const skew = loadSkew([...byId.values()], load, clock)
  const away = new HomesAway(parts.onUnavailable, clock)

  function choose(
    session: Session,
    tried: ReadonlySet<Backend>,
    budget: StoreBudget = unlimited,
  ): MaybePromise<Choice> {
    const home = usableHome(session, byId, tried)
    if (home === undefined && !session.known) return place({ tried, budget })
    if (home === undefined) return instead(session, { tried, budget }, undefined)
    if (home.limit !== undefined || session.maxSkew !== undefined) return weigh(session, home, { tried, budget })
    load.begin(home.pool, home.id)
    policy.known?.(home)
    return home
  }

  /** Some homes may be full, and some sessions leave those that carry too much: that takes numbers of the whole cluster. */
  async function weigh(session: Session, home: Backend, { tried, budget }: Attempt): Promise<Choice> {
    const others = { tried: new Set(tried).add(home), budget }
    if (session.maxSkew !== undefined && (await isAbove(home, session.maxSkew, budget))) {
      const lesser = await place(others)
      if (typeof lesser !== 'string') return new Elsewhere(lesser, home.id, 'load', undefined)
    }
    if (await hasRoomFor(load, home, budget)) {
      policy.known?.(home)
      return home
    }
    const next = usableHome(session, byId, others.tried)
    const elsewhere = await (next === undefined ? instead(session, others, home) : weigh(session, next, others))
    return elsewhere === 'no-backend' ? 'all-full' : elsewhere
  }

  /** Without an answer nobody carries too much. */
  async function isAbove(home: Backend, times: number, budget: StoreBudget): Promise<boolean> {
    const above = skew.isAbove(home, times)
    return above instanceof Promise ? budget.within(above).catch(unlessAway) : above
  }

  /** What becomes of a session that no home serves; `full` is one that carries all that it may. */
  function instead(session: Session, attempt: Attempt, full: Backend | undefined): MaybePromise<Choice> {
    const home = full ?? knownHome(session, byId)
    if (home === undefined)
      return session.whenAway ?? moved(standIn(session, attempt), session.home[0], 'removed', undefined)
    const reason = full === undefined ? reasonOf(home, attempt.tried) : 'full'
    const fate = away.fateOf(session, home, reason)
    if (fate === 'rebind') return moved(place(attempt), home.id, reason, undefined)
    if (fate !== 'temporary') return fate
    return moved(standIn(session, attempt), home.id, reason, home)
  }

  /** For a session with a key the same one each time, on every node: whether it stays is not known here. */
  function standIn({ key }: Session, attempt: Attempt): MaybePromise<Backend | RefusalCode> {
    return key === undefined ? place(attempt) : standInFor(key.id, attempt)
  }

  async function standInFor(id: string, { tried, budget }: Attempt): Promise<Backend | RefusalCode> {
    const isThere = (backend: Backend): boolean => backend.health.takesNewcomers && !tried.has(backend)
    const inTurn = [...standIns(id, primaries.filter(isThere)), ...backups.filter(isThere)]
    for (const backend of inTurn) if (await hasRoomFor(load, backend, budget)) return backend
    return inTurn.length === 0 ? 'no-backend' : 'all-full'
  }

  function place({ tried, budget }: Attempt): MaybePromise<Backend | RefusalCode> {
    const candidates = primaries.filter((backend) => backend.health.takesNewcomers && !tried.has(backend))
    const reserves = backups.filter((backend) => backend.health.takesNewcomers && !tried.has(backend))
    if (candidates.length + reserves.length === 0) return 'no-backend'
    if (candidates.length === 0) return firstWithRoom(reserves, budget)
    const taken = take(candidates, budget)
    if (reserves.length > 0) return orReserve(taken, reserves, budget)
    return taken instanceof Promise ? taken.then(orFull) : orFull(taken)
  }

  function take(candidates: readonly Backend[], budget: StoreBudget): MaybePromise<Backend | undefined> {
    const taken = policy.take(candidates)
    if (!(taken instanceof Promise)) return taken
    return budget.within(taken, giveBack).catch((cause: unknown) => {
      if (cause instanceof StoreUnavailable) return whenAway.take(candidates)
      throw cause
    })
  }

  /** It was chosen too late. */
  function giveBack(backend: Backend | undefined): void {
    if (backend !== undefined) load.end(backend.pool, backend.id)
  }

  async function orReserve(
    taken: MaybePromise<Backend | undefined>,
    reserves: readonly Backend[],
    budget: StoreBudget,
  ): Promise<Backend | RefusalCode> {
    return (await taken) ?? firstWithRoom(reserves, budget)
  }

  async function firstWithRoom(reserves: readonly Backend[], budget: StoreBudget): Promise<Backend | RefusalCode> {
    for (const backend of reserves) if (await hasRoomFor(load, backend, budget)) return backend
    return 'all-full'
  }

  return { choose }
}

/** The same, told as what it is to a session of that home, which stays its home if it is `kept`. */
function moved(
  placed: MaybePromise<Backend | RefusalCode>,
  from: string | undefined,
  reason: AwayReason,
  kept: Backend | undefined,
): MaybePromise<Choice> {
  if (placed instanceof Promise) return placed.then((to) => moved(to, from, reason, kept))
  return typeof placed === 'string' || from === undefined ? placed : new Elsewhere(placed, from, reason, kept)
}

/** The first home that is one of this pool. */
function knownHome(session: Session, byId: ReadonlyMap<string, Backend>): Backend | undefined {
  for (const id of session.home) if (byId.has(id)) return byId.get(id)
  return undefined
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

function unlessAway(cause: unknown): false {
  if (cause instanceof StoreUnavailable) return false
  throw cause
}

function orFull(taken: Backend | undefined): Backend | 'all-full' {
  return taken ?? 'all-full'
}
