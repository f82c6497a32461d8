import { leastLoaded } from './least-loaded.ts'
import type { Candidate, LoadTable } from './store.ts'
import { WeightedTurns } from './weighted-turns.ts'

interface PoolLoad {
  readonly totals: Map<string, number>
  turn: number
  readonly turns: WeightedTurns
}

/** The load table of one process that is the whole cluster: nothing waits, nothing is lost. */
export class MemoryLoadTable implements LoadTable {
  readonly #pools = new Map<string, PoolLoad>()

  reserve(pool: string, candidates: readonly Candidate[]): string | undefined {
    const load = this.#load(pool)
    load.turn += 1
    const chosen = leastLoaded(candidates, (backend) => load.totals.get(backend) ?? 0, load.turn)
    if (chosen) this.begin(pool, chosen.id)
    return chosen?.id
  }

  begin(pool: string, backend: string): void {
    const { totals } = this.#load(pool)
    totals.set(backend, (totals.get(backend) ?? 0) + 1)
  }

  end(pool: string, backend: string): void {
    const { totals } = this.#load(pool)
    const total = totals.get(backend) ?? 0
    if (total > 1) totals.set(backend, total - 1)
    else totals.delete(backend)
  }

  local(pool: string, backend: string): number {
    return this.#pools.get(pool)?.totals.get(backend) ?? 0
  }

  turn(pool: string, candidates: readonly Candidate[]): string {
    return this.#load(pool).turns.take(candidates, Math.floor(Math.random() * candidates.length))
  }

  charge(pool: string, backend: string, turns: number): void {
    this.#load(pool).turns.charge(backend, turns)
  }

  async reported(): Promise<void> {}

  async totals(pool: string): Promise<Map<string, number>> {
    return new Map(this.#pools.get(pool)?.totals)
  }

  #load(pool: string): PoolLoad {
    let load = this.#pools.get(pool)
    if (!load) {
      load = { totals: new Map(), turn: 0, turns: new WeightedTurns() }
      this.#pools.set(pool, load)
    }
    return load
  }
}
