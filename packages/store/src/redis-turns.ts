import { Grouping } from './grouping.ts'
import type { Numbers } from './load-ledger.ts'
import { groupByCandidates } from './load-pick.ts'
import { loadScripts } from './load-scripts.ts'
import type { RedisLink } from './redis-link.ts'
import type { Candidate } from './store.ts'
import { WeightedTurns } from './weighted-turns.ts'

/**
 * One pool's turns: all that one turn of the event loop asks for goes as one call, with what was served out of turn since the last.
 * While Redis is away this process counts turns of its own, by the same rule.
 */
export class RedisTurns {
  readonly #link: RedisLink
  readonly #key: string
  readonly #wishes = new Grouping<Wish>((wishes) => this.#send(wishes))
  readonly #own = new WeightedTurns()
  #charges = new Map<string, number>()

  constructor(link: RedisLink, key: string) {
    this.#link = link
    this.#key = key
  }

  take(candidates: readonly Candidate[]): Promise<string> {
    return new Promise((resolve) => this.#wishes.add({ candidates, resolve }))
  }

  /** Told with the next turn; lost should that fail, as nobody knows then whether it was heard. */
  charge(backend: string, turns: number): void {
    this.#charges.set(backend, (this.#charges.get(backend) ?? 0) + turns)
  }

  async #send(wishes: readonly Wish[]): Promise<void> {
    const groups = groupByCandidates(wishes)
    const charges = this.#charges
    this.#charges = new Map()
    const args = [charges.size, ...[...charges].flat(), ...groups.flatMap(groupArguments)]
    try {
      const backends = (await this.#link.run(loadScripts.turn, [this.#key], args)) as readonly unknown[]
      groups
        .flatMap((group) => group.items)
        .forEach(({ resolve }, at) => {
          resolve(String(backends[at]))
        })
    } catch {
      for (const { candidates, resolve } of wishes) resolve(this.#own.take(candidates, anyPlace(candidates)))
    }
  }
}

interface Wish {
  readonly candidates: readonly Candidate[]
  readonly resolve: (backend: string) => void
}

/** Where turns of one's own begin: processes that all began with the first would crowd it. */
function anyPlace(candidates: readonly Candidate[]): number {
  return Math.floor(Math.random() * candidates.length)
}

function groupArguments({
  candidates,
  items,
}: {
  readonly candidates: readonly Candidate[]
  readonly items: unknown[]
}): Numbers {
  return [items.length, candidates.length, ...candidates.flatMap(({ id, weight }) => [id, weight])]
}
