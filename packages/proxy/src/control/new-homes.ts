import { AdminProblem, type BackendResource } from './admin-api.ts'

/** Where sessions that leave a backend go: to one, or one by one to whichever has the fewest by weight. */
export class NewHomes {
  readonly #homes: { readonly id: string; readonly weight: number; sessions: number }[]

  private constructor(homes: { readonly id: string; readonly weight: number; sessions: number }[]) {
    this.#homes = homes
  }

  /** A problem where nobody could take them. */
  static among(backends: readonly BackendResource[], from: string, to: string | undefined): NewHomes {
    if (to !== undefined) return new NewHomes([{ id: to, weight: 1, sessions: 0 }])
    const homes = backends.filter(({ id, state, weight }) => id !== from && state === 'ready' && weight > 0)
    if (homes.length === 0) throw new AdminProblem('backend-not-ready', 'no other backend of that pool takes newcomers')
    return new NewHomes(homes.map(({ id, weight, sessions }) => ({ id, weight, sessions: sessions ?? 0 })))
  }

  next(): string {
    const least = this.#homes.reduce((best, one) =>
      one.sessions * best.weight < best.sessions * one.weight ? one : best,
    )
    least.sessions++
    return least.id
  }
}
