import {
  type Binding,
  type CookieRecord,
  type MaybePromise,
  type Milliseconds,
  type Row,
  type SessionKey,
  type StoreBudget,
  StoreUnavailable,
  type Terms,
} from '@sticky/store'

import type { SessionCookieConfig } from '../config/config.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { type ApplicationCookies, applicationCookies } from './application-cookies.ts'
import { bindInForce } from './bind.ts'
import { Homes } from './homes.ts'
import { type CookieDress, OurCookie } from './our-cookie.ts'
import { Recovery } from './recovery.ts'
import type { AffinityServices } from './registry.ts'
import { Sealer, type SealTerms } from './sealer.ts'
import { quotaOf, type SessionQuota } from './session-quota.ts'
import { printSetCookie } from './set-cookie.ts'
import type { Client } from './strategy.ts'

/** A session to be bound: its row is replaced only if it still has the version `seen`. */
export interface Claim {
  readonly key: SessionKey
  readonly seen: number
  /** The highest version anyone was told of. */
  readonly told: number
  readonly epoch: number
}

/** Where a session's cookie goes. */
export interface Reply {
  readonly head: ResponseHead
  readonly dress: CookieDress
}

/** Keeps the sessions of one pool that our cookie names: their rows in the store, their cookies with their clients. */
export class SessionKeeper {
  readonly config: SessionCookieConfig
  readonly cookie: OurCookie
  readonly sealer: Sealer
  readonly homes: Homes
  /** Undefined unless sessions are found again by cookies of the application. */
  readonly recovery: Recovery | undefined
  readonly #services: AffinityServices
  readonly #terms: Terms
  readonly #quota: SessionQuota

  constructor(config: SessionCookieConfig, services: AffinityServices) {
    this.config = config
    this.cookie = new OurCookie(config)
    this.sealer = new Sealer(services.pool, services.backends, services.keyring)
    this.homes = new Homes(services)
    this.recovery = config.recoverBy.length === 0 ? undefined : new Recovery(config, services)
    this.#services = services
    this.#quota = quotaOf(config, services.pool, services)
    const { age, lifetime, ends } = config
    this.#terms = { age, lifetime, endsWithLastCookie: ends === 'last-cookie', source: 'session-cookie' }
  }

  get pool(): string {
    return this.#services.pool
  }

  /** Store time. */
  now(): Milliseconds {
    return this.#services.store.now()
  }

  find(key: SessionKey, atLeast: number): MaybePromise<Row> {
    return this.#services.store.sessions.find(key, atLeast)
  }

  /** Renews the session. One whose backend may be gone from every node's configuration ages, for nothing else would end it. */
  touch(key: SessionKey, binding: Binding): void {
    if (!this.homes.know(binding.backend)) return
    this.#services.store.sessions.touch(key, binding)
  }

  record(key: SessionKey, cookies: readonly CookieRecord[]): void {
    if (cookies.length > 0) this.#services.store.cookies.record(key, cookies)
  }

  /** What the application does with cookies in this response. */
  read(response: ResponseHead): ApplicationCookies {
    return applicationCookies(response, {
      ours: this.cookie.names,
      age: this.config.cookieAge,
      now: response.setCookies.length > 0 ? this.now() : 0,
      fingerprints: this.#services.fingerprints,
    })
  }

  /** May a session that has no row get one? */
  admits(client: Client): boolean {
    const refusal = this.#quota.refuses(client)
    if (refusal === undefined) return true
    this.#services.sessionRefused?.(refusal)
    return false
  }

  /** Binds, and tells the client whatever binding is in force; one that nobody can confirm is told as provisional. */
  async bind(
    claim: Claim,
    backend: string,
    cookies: readonly CookieRecord[],
    reply: Reply,
    budget: StoreBudget,
  ): Promise<void> {
    try {
      const bound = bindInForce(this.#services.store.sessions, claim, backend, { ...this.#terms, cookies })
      const row = await budget.within(bound)
      if (row.state === 'bound') this.tell(reply, claim.key, row.backend, this.termsOf(row))
    } catch (cause) {
      if (!(cause instanceof StoreUnavailable)) throw cause
      this.tellAlone(claim, backend, reply)
    }
  }

  /** Tells the client a binding that no row has. */
  tellAlone(claim: Claim, backend: string, reply: Reply): void {
    this.tell(reply, claim.key, backend, this.#provisionalTerms(claim))
  }

  /** Sets our cookie. */
  tell({ head, dress }: Reply, key: SessionKey, backend: string, terms: SealTerms): void {
    const value = this.sealer.seal(key, backend, terms)
    head.addCookie(printSetCookie(dress.name, value, dress.attributes), { keepPrivate: this.config.cachePrivate })
  }

  /** What a cookie says of a binding it is sealed from now. */
  termsOf({ version, epoch, end, deadline, endsWithLastCookie }: Binding): SealTerms {
    const sealed = this.now()
    const ends = [sealed + this.config.age, end > 0 ? end : Infinity, endsWithLastCookie ? deadline : Infinity]
    return { version, epoch, sealed, end: Math.min(...ends), provisional: false }
  }

  #provisionalTerms({ told, epoch }: Claim): SealTerms {
    const sealed = this.now()
    return { version: told + 1, epoch, sealed, end: sealed + this.config.age, provisional: true }
  }
}
