import type { LoadTable, Milliseconds, SessionTable } from '@sticky/store'

import type { BalanceName } from '../config/config.ts'
import type { Backend } from '../upstream/backend.ts'
import type { SelectionPolicy } from './balancer.ts'
import { sessionCounts } from './session-counts.ts'
import { sharedRoundRobin } from './shared-round-robin.ts'

/** What a policy may draw on. */
export interface PolicyServices {
  readonly pool: string
  /** All of the pool's. */
  readonly backends: readonly Backend[]
  /** Do known sessions' exchanges use up turns? */
  readonly countsKnown: boolean
  readonly load: LoadTable
  readonly sessions: SessionTable
  /** Monotonic. */
  readonly clock: () => Milliseconds
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** Makes a pool's policy. Candidates are never empty and their weights positive. */
export type PolicyFactory = (services: PolicyServices) => SelectionPolicy

/** The least of the whole cluster's exchanges in flight by weight, exact at the moment of choice. */
export const leastLoad: PolicyFactory = ({ pool, load }) => ({
  heedsLimits: true,
  take(candidates) {
    const reserved = load.reserve(pool, candidates)
    return reserved instanceof Promise ? reserved.then((id) => named(candidates, id)) : named(candidates, reserved)
  },
})

/** The least live sessions by weight: the cluster's counts, at most a second old, plus what was placed here since. */
export const leastSessions: PolicyFactory = ({ pool, load, sessions, clock, random }) => {
  const counts = sessionCounts(() => sessions.count(pool), clock)
  return {
    async take(candidates) {
      await counts.refreshed()
      const turned = turnedTo(Math.floor(random() * candidates.length), candidates)
      const least = turned.reduce((best, next) => (carriesLess(next, best, counts.of) ? next : best))
      counts.add(least.id)
      return begun(load, least)
    },
  }
}

/** In turn, spread evenly by weight; each process keeps its own turn. */
export const roundRobin: PolicyFactory = ({ load }) => {
  const credit = new Map<Backend, number>()
  return {
    take(candidates) {
      let next = candidates[0]!
      let highest = -Infinity
      for (const backend of candidates) {
        const saved = (credit.get(backend) ?? 0) + backend.weight
        credit.set(backend, saved)
        if (saved > highest) [next, highest] = [backend, saved]
      }
      credit.set(next, highest - totalWeight(candidates))
      return begun(load, next)
    },
  }
}

/** By lot, weighted. */
export const random: PolicyFactory = ({ load, random }) => ({
  take: (candidates) => begun(load, drawn(candidates, random)),
})

/** The lesser by this process's own exchanges of two drawn by lot: needs no round trip. */
export const powerOfTwo = ({
  pool,
  load,
  random,
}: Pick<PolicyServices, 'pool' | 'load' | 'random'>): SelectionPolicy => {
  const inFlight = (id: string): number => load.local(pool, id)
  return {
    take(candidates) {
      const one = drawn(candidates, random)
      const rest = candidates.filter((backend) => backend !== one)
      if (rest.length === 0) return begun(load, one)
      const other = drawn(rest, random)
      return begun(load, carriesLess(other, one, inFlight) ? other : one)
    },
  }
}

/** Every policy by its name in the configuration. */
export const policies: Readonly<Record<BalanceName, PolicyFactory>> = {
  leastLoad,
  leastSessions,
  roundRobin,
  sharedRoundRobin,
  random,
  powerOfTwo,
}

/** Counts before answering, so that the next choice of this turn already sees it. */
function begun(load: LoadTable, backend: Backend): Backend {
  load.begin(backend.pool, backend.id)
  return backend
}

function named(candidates: readonly Backend[], id: string | undefined): Backend | undefined {
  return candidates.find((backend) => backend.id === id)
}

function carriesLess(one: Backend, other: Backend, load: (id: string) => number): boolean {
  return load(one.id) * other.weight < load(other.id) * one.weight
}

function drawn(candidates: readonly Backend[], random: () => number): Backend {
  let left = random() * totalWeight(candidates)
  for (const backend of candidates) {
    left -= backend.weight
    if (left < 0) return backend
  }
  return candidates[candidates.length - 1]!
}

function totalWeight(candidates: readonly Backend[]): number {
  return candidates.reduce((sum, { weight }) => sum + weight, 0)
}

/** All candidates, beginning with one in their midst. */
function turnedTo(start: number, candidates: readonly Backend[]): Backend[] {
  return [...candidates.slice(start), ...candidates.slice(0, start)]
}
