import type { Metric } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric } from './metrics.ts'

/** How many sessions this node has moved because somebody said so. */
export class MoveCounts {
  readonly #counts = new Map<string, { readonly pool: string; readonly reason: string; moved: number }>()

  add(pool: string, reason: 'operator' | 'drain', moved = 1): void {
    const name = `${pool} ${reason}`
    const count = this.#counts.get(name) ?? { pool, reason, moved: 0 }
    count.moved += moved
    this.#counts.set(name, count)
  }

  metrics(): Metric[] {
    const values = [...this.#counts.values()].map(({ moved, ...labels }) => ({ labels, value: moved }))
    return [metric(catalogue.sessionMoves, values)]
  }
}
