import { type Candidate, type LoadTable, MemoryStore } from '@sticky/store'

import type { Backend, BackendHealth } from '../upstream/backend.ts'

/** What of a backend matters to balancing. */
export interface BackendParts {
  readonly weight?: number
  readonly canServe?: boolean
  readonly backup?: boolean
  readonly limit?: number
}

/** A backend of pool `shop`. */
export function backend(
  id: string,
  { weight = 1, canServe = true, backup = false, limit }: BackendParts = {},
): Backend {
  return {
    id,
    pool: 'shop',
    weight,
    scheme: 'http',
    hostname: '127.0.0.1',
    port: 80,
    authority: '127.0.0.1',
    backup,
    limit,
    patience: { connect: undefined, response: undefined, ejects: false },
    health: { ...healthy(), weight, canServe, takesNewcomers: canServe && weight > 0 },
  }
}

/** Nothing ever happens to its backend. */
export function healthy(): BackendHealth {
  return {
    state: 'ready',
    weight: 1,
    share: 1,
    canServe: true,
    takesNewcomers: true,
    ejected: false,
    attempted: () => 0,
    succeeded: () => {},
    abandoned: () => {},
    failed: () => {},
  }
}

/** A load table in plain sight: what is in flight, by backend. */
export class FakeLoad implements LoadTable {
  readonly inFlight: Map<string, number> = new Map()
  readonly #turns = new MemoryStore().load

  reserve(pool: string, candidates: readonly Candidate[]): string | undefined {
    const free = candidates.filter(({ id, limit = Infinity }) => this.local(pool, id) < limit)
    const [least] = free.sort((a, b) => this.local(pool, a.id) / a.weight - this.local(pool, b.id) / b.weight)
    if (least) this.begin(pool, least.id)
    return least?.id
  }

  begin(pool: string, id: string): void {
    this.inFlight.set(id, this.local(pool, id) + 1)
  }

  end(pool: string, id: string): void {
    this.inFlight.set(id, this.local(pool, id) - 1)
  }

  turn(pool: string, candidates: readonly Candidate[]): string {
    return this.#turns.turn(pool, candidates) as string
  }

  charge(pool: string, id: string, turns: number): void {
    this.#turns.charge(pool, id, turns)
  }

  local(_pool: string, id: string): number {
    return this.inFlight.get(id) ?? 0
  }

  async reported(): Promise<void> {}

  async totals(): Promise<Map<string, number>> {
    return this.inFlight
  }
}
