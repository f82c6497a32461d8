import type { Standing } from '../upstream/backend.ts'
import type { NamedStanding } from '../upstream/standings.ts'

const nothingSaid: Standing = { state: 'ready', up: true, weight: undefined }

/** What this node knows of backends beside their configuration: operators' orders and its health checks' verdicts. */
export class Verdicts {
  readonly #onChange: (standings: readonly NamedStanding[]) => void
  readonly #standings = new Map<string, NamedStanding>()

  /** `onChange` is told of all that is said, whenever some of it has changed. */
  constructor(onChange: (standings: readonly NamedStanding[]) => void) {
    this.#onChange = onChange
  }

  get all(): readonly NamedStanding[] {
    return [...this.#standings.values()]
  }

  of(pool: string, backend: string): Standing {
    return this.#standings.get(`${pool}/${backend}`) ?? nothingSaid
  }

  /** Says something new of a backend; what is not mentioned stays. */
  say(pool: string, backend: string, said: Partial<Standing>): void {
    const before = this.of(pool, backend)
    const standing = { pool, backend, ...before, ...said }
    const { state, up, weight } = standing
    if (state === before.state && up === before.up && weight === before.weight) return
    if (state === 'ready' && up && weight === undefined) this.#standings.delete(`${pool}/${backend}`)
    else this.#standings.set(`${pool}/${backend}`, standing)
    this.#onChange(this.all)
  }
}
