import { type PolicyFactory, policies } from '../balancing/policies.ts'
import type { BalanceName } from '../config/config.ts'
import type { Backend } from '../upstream/backend.ts'
import type { ExplainedBackend } from './explanation.ts'

/** The policies themselves, each telling whom it had to choose among. */
export class WatchedPolicies {
  readonly policies: Readonly<Record<BalanceName, PolicyFactory>>
  #candidates: readonly Backend[] = []

  constructor() {
    const watched = Object.entries(policies).map(([name, factory]) => [name, this.#watched(factory)])
    this.policies = Object.fromEntries(watched) as Record<BalanceName, PolicyFactory>
  }

  /** Whom a policy chose among since this was asked last; nobody when none was needed. */
  takeCandidates(): readonly Backend[] {
    const candidates = this.#candidates
    this.#candidates = []
    return candidates
  }

  #watched(factory: PolicyFactory): PolicyFactory {
    return (services) => {
      const policy = factory(services)
      return {
        ...policy,
        take: (candidates) => {
          this.#candidates = candidates
          return policy.take(candidates)
        },
      }
    }
  }
}

const measures: Partial<Record<BalanceName, 'inFlight' | 'sessions'>> = {
  leastLoad: 'inFlight',
  leastSessions: 'sessions',
}

/** Would the policy choose the same of these candidates each time, as long as nothing changes? */
export function isCertain(policy: BalanceName, candidates: readonly ExplainedBackend[]): boolean {
  if (candidates.length === 1) return true
  const measure = measures[policy]
  if (measure === undefined) return false
  const loads = candidates.map((candidate) => (candidate[measure] ?? 0) / candidate.weight)
  return loads.filter((load) => load === Math.min(...loads)).length === 1
}
