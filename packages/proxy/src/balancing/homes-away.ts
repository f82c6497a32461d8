import type { Milliseconds } from '@sticky/store'

import type { Session } from '../affinity/strategy.ts'
import type { UnavailableAction } from '../config/config.ts'
import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import { type AwayReason, HomeBarred } from './elsewhere.ts'

/** What is to become of a session whose home cannot serve it. */
export type AwayFate = 'rebind' | 'temporary' | RefusalCode | HomeBarred

/** What a pool does with sessions whose homes are away. */
export class HomesAway {
  readonly #action: 'rebind' | 'temporary' | 'wait' | 'fail'
  /** So long sessions stay at a home that is away. */
  readonly #longest: Milliseconds
  readonly #clock: () => Milliseconds

  /** `clock` is monotonic. */
  constructor(action: UnavailableAction, clock: () => Milliseconds) {
    this.#action = typeof action === 'string' ? action : 'temporary'
    this.#longest = typeof action === 'string' ? Number.POSITIVE_INFINITY : action.temporary
    this.#clock = clock
  }

  /** What a session that says nothing of it may; one whose strategy refuses is refused, with the strategy's code. */
  fateOf(session: Session, home: Backend, reason: AwayReason): AwayFate {
    const code = session.whenAway ?? (this.#action === 'wait' || this.#action === 'fail' ? 'home-away' : undefined)
    if (code !== undefined) return this.#action === 'wait' || reason === 'full' ? new HomeBarred(code) : code
    if (this.#action === 'rebind') return 'rebind'
    return reason === 'full' || this.#isBrief(home) ? 'temporary' : 'rebind'
  }

  #isBrief({ health: { awaySince } }: Backend): boolean {
    return awaySince === undefined || this.#clock() - awaySince < this.#longest
  }
}

/** Why a home that is not full does not serve. */
export function reasonOf(home: Backend, tried: ReadonlySet<Backend>): AwayReason {
  if (tried.has(home)) return 'failed'
  return home.health.state === 'maint' ? 'maint' : 'down'
}
