import type { Backend } from '../upstream/backend.ts'
import type { PolicyFactory } from './policies.ts'

/** In turn, by weights that count down for the whole cluster: exact in every period, whichever nodes newcomers come to. */
export const sharedRoundRobin: PolicyFactory = ({ pool, load, backends, countsKnown }) => {
  const divisor = commonDivisor(backends)
  const begun = (candidates: readonly Backend[], id: string): Backend => {
    load.begin(pool, id)
    return candidates.find((backend) => backend.id === id)!
  }
  const policy = {
    take(candidates: readonly Backend[]) {
      // The shortest period of the same shares.
      const reduced = candidates.map(({ id, weight }) => ({ id, weight: weight / divisor }))
      const turn = load.turn(pool, reduced)
      return turn instanceof Promise ? turn.then((id) => begun(candidates, id)) : begun(candidates, turn)
    },
    unused: ({ id }: Backend) => load.charge(pool, id, -1),
  }
  return countsKnown ? { ...policy, known: ({ id }) => load.charge(pool, id, 1) } : policy
}

function commonDivisor(backends: readonly Backend[]): number {
  const weights = backends.filter(({ backup }) => !backup).map(({ weight }) => weight)
  return weights.reduce(greatestCommonDivisor, 0) || 1
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
