import type { Candidate } from './store.ts'

/**
 * Turns by weights that count down (WebSphere's weighted round robin): each goes to the next candidate in their order that has any
 * left; when none has, all get their weight anew. The same rule as `lua/load-turn.lua`, and held equal to it by a test.
 */
export class WeightedTurns {
  readonly #left = new Map<string, number>()
  #last: string | undefined

  /** Whose turn it is; `start` is where the first turn of all begins, and one after a backend that is none of these. */
  take(candidates: readonly Candidate[], start: number): string {
    for (const { id, weight } of candidates) this.#left.set(id, Math.min(this.#left.get(id) ?? weight, weight))
    const id = this.#next(candidates, start) ?? this.#nextAnew(candidates, start)
    this.#left.set(id, this.#left.get(id)! - 1)
    this.#last = id
    return id
  }

  /** Takes turns away that a backend served out of turn. Who has had no turn yet still has its whole weight before it. */
  charge(backend: string, turns: number): void {
    const left = this.#left.get(backend)
    if (left !== undefined) this.#left.set(backend, left - turns)
  }

  #next(candidates: readonly Candidate[], start: number): string | undefined {
    const after = candidates.findIndex(({ id }) => id === this.#last) + 1
    const place = after === 0 ? start : after
    for (let step = 0; step < candidates.length; step++) {
      const { id } = candidates[(place + step) % candidates.length]!
      if (this.#left.get(id)! > 0) return id
    }
    return undefined
  }

  #nextAnew(candidates: readonly Candidate[], start: number): string {
    const rounds = Math.min(...candidates.map(({ id, weight }) => Math.floor(-this.#left.get(id)! / weight) + 1))
    for (const { id, weight } of candidates) this.#left.set(id, this.#left.get(id)! + rounds * weight)
    return this.#next(candidates, start)!
  }
}
