import type { CookieRecord, MaybePromise, SessionKey, StoreBudget } from '@sticky/store'

import type { SessionCookieConfig } from '../config/config.ts'
import type { Backend } from '../upstream/backend.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { newSessionId } from './session-id.ts'
import type { SessionKeeper } from './session-keeper.ts'
import type { Client, OutgoingRequest, PersistenceCode, Session } from './strategy.ts'
import { orAway } from './unasked.ts'

const nowhere: readonly string[] = []

/** Whose request it is. */
interface Asker {
  readonly client: Client
  /** The request's Cookie field. */
  readonly field: string | undefined
  readonly budget: StoreBudget
}

/** A request without a live session of ours: one begins, under an id of our own making, as its response deserves. */
export class CookieNewcomer implements Session {
  readonly known = false
  readonly home: readonly string[] = nowhere
  key: SessionKey | undefined
  readonly #keeper: SessionKeeper
  readonly #asker: Asker
  readonly #came: 'N' | 'I' | 'E' | 'O'

  constructor(keeper: SessionKeeper, asker: Asker, came: 'N' | 'I' | 'E' | 'O') {
    this.#keeper = keeper
    this.#asker = asker
    this.#came = came
  }

  get persistence(): PersistenceCode {
    return `${this.#came}${this.key === undefined ? 'N' : 'I'}`
  }

  get reason(): string {
    return `session-cookie: ${reasons[this.#came]}`
  }

  dispatched(_to: Backend, request: OutgoingRequest): void {
    if (this.#came !== 'N') this.#keeper.cookie.conceal(request)
  }

  served(by: Backend, head: ResponseHead): MaybePromise<boolean> {
    const keeper = this.#keeper
    const { client, field, budget } = this.#asker
    const alive = keeper.read(head).records.filter(({ age }) => age > 0)
    if (!begins(keeper.config.begin, alive)) return false
    this.key = { pool: keeper.pool, id: newSessionId() }
    const claim = { key: this.key, seen: 0, told: 0, epoch: 0 }
    const reply = { head, dress: keeper.cookie.dressFor(client) }
    if (!keeper.admits(client)) {
      keeper.tellAlone(claim, by.id, reply)
      return true
    }
    const learnt = keeper.recovery?.learn(head, field, this.key, by.id)
    const bound = keeper.bind(claim, by.id, alive, reply, budget)
    return (learnt === undefined ? bound : Promise.all([bound, orAway(budget.within(learnt))])).then(taken)
  }
}

const reasons = {
  N: 'no cookie of ours',
  I: 'a cookie of our name that does not open',
  E: 'its session has ended',
  O: 'its session has lived its lifetime',
} as const

function taken(): boolean {
  return true
}

/** A response that only deletes cookies begins nothing, unless every response does. */
function begins(begin: SessionCookieConfig['begin'], alive: readonly CookieRecord[]): boolean {
  if (begin === 'always') return true
  if (begin === 'on-cookie') return alive.length > 0
  return alive.some(({ name }) => begin.cookies.includes(name))
}
