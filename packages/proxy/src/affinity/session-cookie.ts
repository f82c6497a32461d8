import { type MaybePromise, type Row, type StoreBudget, StoreUnavailable, unlimited } from '@sticky/store'

import type { SessionCookieConfig } from '../config/config.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { CookieNewcomer } from './cookie-newcomer.ts'
import { CookieSession } from './cookie-session.ts'
import { cookieValueAt, findCookie, unquoted } from './cookies.ts'
import type { Recovered } from './recovery.ts'
import type { AffinityServices } from './registry.ts'
import type { Seal } from './seal.ts'
import type { OpenedCookie } from './sealer.ts'
import { SessionKeeper } from './session-keeper.ts'
import type { AffinityStrategy, Client, MatchedUri, OutgoingRequest, Session } from './strategy.ts'
import { truthOf } from './truth.ts'
import { orAway } from './unasked.ts'

/** CHTTP: a sealed cookie of ours names the session, whose row names its backend. */
export function sessionCookie(config: SessionCookieConfig, services: AffinityServices): AffinityStrategy {
  return new SessionCookie(new SessionKeeper(config, services))
}

/** Who asks, and by what. */
interface Asker {
  readonly client: Client
  /** The request's Cookie field. */
  readonly field: string
  readonly budget: StoreBudget
}

/** A cookie of ours and how it came. */
interface Presented extends Asker {
  readonly opened: OpenedCookie
  readonly name: string
}

/** Of a cookie that never came: older than anything. */
const noSeal = { keyId: 0, hint: 0, version: 0, epoch: 0, sealed: 0, end: 0, provisional: false }

class SessionCookie implements AffinityStrategy {
  readonly #keeper: SessionKeeper

  constructor(keeper: SessionKeeper) {
    this.#keeper = keeper
  }

  locate(
    { cookie: field }: RequestHead,
    client: Client,
    _uri: MatchedUri,
    budget: StoreBudget = unlimited,
  ): MaybePromise<Session> {
    if (field === undefined) return new CookieNewcomer(this.#keeper, { client, field, budget }, 'N')
    return this.#search({ client, field, budget })
  }

  #search(asker: Asker): MaybePromise<Session> {
    const { client, field, budget } = asker
    let came: 'N' | 'I' = 'N'
    for (const name of this.#keeper.cookie.names) {
      for (let start = findCookie(field, name); start >= 0; start = findCookie(field, name, start)) {
        const opened = this.#keeper.sealer.open(unquoted(cookieValueAt(field, start)))
        if (opened !== undefined) return this.#ask({ opened, name, client, field, budget })
        came = 'I'
      }
    }
    const recovered = this.#keeper.recovery?.find(field, client)
    if (recovered !== undefined) return this.#recover(recovered, asker, came)
    return new CookieNewcomer(this.#keeper, asker, came)
  }

  /** A session that goes on under its own id: its row alone tells of it, and its cookie is set again. */
  async #recover(recovered: Promise<Recovered | undefined>, asker: Asker, came: 'N' | 'I'): Promise<Session> {
    const found = await orAway(asker.budget.within(recovered))
    if (found === undefined) return new CookieNewcomer(this.#keeper, asker, came)
    const { key, row, name } = found
    const home = this.#keeper.homes.at(row.backend)
    const opened = { key, seal: { ...noSeal, id: key.id }, home }
    return new CookieSession(this.#keeper, { ...asker, opened, name, row, forgotten: false }, home)
  }

  conceal(request: OutgoingRequest): void {
    this.#keeper.cookie.conceal(request)
  }

  #ask(presented: Presented): MaybePromise<Session> {
    const { opened, budget } = presented
    const { key, seal } = opened
    const found = this.#keeper.find(key, seal.version)
    if (!(found instanceof Promise)) return this.#judge(presented, found)
    return budget.within(found).then(
      (row) => this.#judge(presented, row),
      (cause) => this.#trust(presented, cause),
    )
  }

  #judge(presented: Presented, row: Row): Session {
    const { opened, name, client, field, budget } = presented
    const truth = truthOf(row, opened.seal, this.#keeper.config.age, this.#keeper)
    if (truth === 'over') {
      const came = this.#lifetimeEnded(opened.seal) ? 'O' : 'E'
      return new CookieNewcomer(this.#keeper, presented, came)
    }
    const tells = truth === 'row' && row.state === 'bound'
    const home = tells ? this.#keeper.homes.at(row.backend) : opened.home
    return new CookieSession(this.#keeper, { opened, name, client, field, row, forgotten: !tells, budget }, home)
  }

  /** Was its end a matter of its lifetime, not of its age? */
  #lifetimeEnded({ sealed, end }: Seal): boolean {
    const { age, lifetime } = this.#keeper.config
    return lifetime !== undefined && end < sealed + age && end <= this.#keeper.now()
  }

  /** Without the store the cookie is believed as it stands. */
  #trust(presented: Presented, cause: unknown): Session {
    if (!(cause instanceof StoreUnavailable)) throw cause
    return new CookieSession(this.#keeper, { ...presented, row: undefined, forgotten: false }, presented.opened.home)
  }
}
