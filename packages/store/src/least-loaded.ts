import type { Candidate } from './store.ts'

/**
 * The candidate with the least load/weight among those below their limit; undefined when all are full.
 *
 * Ties, the usual state of idle backends, rotate by weight: `turn` counts up by one for each choice. The same rule as
 * `lua/load-call.lua`, and held equal to it by a test.
 */
export function leastLoaded(
  candidates: readonly Candidate[],
  load: (backend: string) => number,
  turn: number,
): Candidate | undefined {
  const tied = tiedForLeast(candidates, load)
  let point = evenly(turn) * tied.reduce((sum, candidate) => sum + candidate.weight, 0)
  for (const candidate of tied) {
    if (point < candidate.weight) return candidate
    point -= candidate.weight
  }
  return undefined
}

function tiedForLeast(candidates: readonly Candidate[], load: (backend: string) => number): Candidate[] {
  let tied: Candidate[] = []
  let least = 0
  for (const candidate of candidates) {
    const total = load(candidate.id)
    if (candidate.limit !== undefined && total >= candidate.limit) continue
    const difference = tied[0] ? total * tied[0].weight - least * candidate.weight : -1
    if (difference < 0) {
      tied = []
      least = total
    }
    if (difference <= 0) tied.push(candidate)
  }
  return tied
}

/** Steps of the golden ratio's fraction, as 20 bits: any run of them covers 0 to 1 evenly. */
function evenly(turn: number): number {
  return (((turn % 2 ** 20) * 648055) % 2 ** 20) / 2 ** 20
}
