import { AdminProblem, type BackendResource } from './admin-api.ts'

type Home = Pick<BackendResource, 'id' | 'weight' | 'state' | 'sessions'>

interface Counted {
  readonly id: string
  readonly weight: number
  sessions: number
}

/** Where sessions that leave a backend go: one by one to whichever has the fewest by weight, as long as it takes newcomers. */
export class NewHomes {
  readonly #homes: readonly Counted[]
  readonly #isOpen: (id: string) => boolean

  /** `isOpen` tells what operators say of a backend just now. */
  constructor(homes: readonly Home[], isOpen: (id: string) => boolean) {
    const usable = homes.filter(({ state, weight }) => state === 'ready' && weight > 0)
    this.#homes = usable.map(({ id, weight, sessions }) => ({ id, weight, sessions: sessions ?? 0 }))
    this.#isOpen = isOpen
    this.#open()
  }

  next(): string {
    const least = this.#open().reduce((best, one) =>
      one.sessions * best.weight < best.sessions * one.weight ? one : best,
    )
    least.sessions++
    return least.id
  }

  #open(): readonly Counted[] {
    const open = this.#homes.filter(({ id }) => this.#isOpen(id))
    if (open.length === 0) throw new AdminProblem('backend-not-ready', 'no other backend of that pool takes newcomers')
    return open
  }
}
