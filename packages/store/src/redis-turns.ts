import { Grouping } from './grouping.ts'
import type { Numbers } from './load-ledger.ts'
import { groupByCandidates } from './load-pick.ts'
import { loadScripts } from './load-scripts.ts'
import type { RedisLink } from './redis-link.ts'
import type { Candidate } from './store.ts'

/** One pool's turns: all that one turn of the event loop asks for goes as one call, with what was served out of turn since the last. */
export class RedisTurns {
  readonly #link: RedisLink
  readonly #key: string
  readonly #wishes = new Grouping<Wish>((wishes) => this.#send(wishes))
  #charges = new Map<string, number>()

  constructor(link: RedisLink, key: string) {
    this.#link = link
    this.#key = key
  }

  take(candidates: readonly Candidate[]): Promise<string> {
    return new Promise((resolve, reject) => this.#wishes.add({ candidates, resolve, reject }))
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
    } catch (failure) {
      for (const { reject } of wishes) reject(failure)
    }
  }
}

interface Wish {
  readonly candidates: readonly Candidate[]
  readonly resolve: (backend: string) => void
  readonly reject: (failure: unknown) => void
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
