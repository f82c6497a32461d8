import type { SelectionPolicy } from './balancer.ts'
import { type PolicyServices, powerOfTwo } from './policies.ts'

/** Who gets a newcomer while the store is away: the lesser of two by this process's own exchanges, and nobody beyond its limit. */
export function localChoice(services: Pick<PolicyServices, 'pool' | 'load' | 'random'>): SelectionPolicy {
  const { pool, load } = services
  const lesser = powerOfTwo(services)
  return {
    take(candidates) {
      const open = candidates.filter(({ id, limit = Number.POSITIVE_INFINITY }) => load.local(pool, id) < limit)
      return open.length === 0 ? undefined : lesser.take(open)
    },
  }
}
