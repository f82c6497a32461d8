import type { Milliseconds, SessionKey } from '@sticky/store'

import type { SessionCookieConfig } from '../config/config.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { cookieValue, unquoted } from './cookies.ts'
import { type Found, RecoverySearch, sourceOf } from './recovery-search.ts'
import type { AffinityServices } from './registry.ts'
import { parseSetCookie } from './set-cookie.ts'
import type { Client } from './strategy.ts'
import { orAway } from './unasked.ts'

/** A session that was found again, and the cookie that tells of it. */
export interface Recovered extends Found {
  readonly name: string
}

/** The table of a pool's recovery rows: no pool's own, since ids have no `+`. */
export function recoveryTable(pool: string): string {
  return `${pool}+recovery`
}

/**
 * Finds sessions again by cookies of their application when our own is missing. Each value that a response sets has a row of its
 * own, under a fingerprint, whose source names the session; requests never make one.
 */
export class Recovery {
  readonly #cookies: readonly { readonly name: string; readonly keyOf: (value: string) => SessionKey }[]
  readonly #services: AffinityServices
  readonly #search: RecoverySearch
  readonly #terms: { readonly age: Milliseconds; readonly lifetime: Milliseconds | undefined }

  constructor({ recoverBy, age, lifetime }: SessionCookieConfig, services: AffinityServices) {
    const table = recoveryTable(services.pool)
    this.#cookies = recoverBy.map((name) => ({ name, keyOf: services.fingerprints.keysOf(table, `recover:${name}`) }))
    this.#services = services
    this.#search = new RecoverySearch(services)
    // A session's cookie is told anew once per half age, and its rows are renewed with that: so long they must last.
    this.#terms = { age: 1.5 * age, lifetime }
  }

  /** The live session that the first of a request's cookies leads to; undefined too while the store is away. */
  find(field: string, client: Client): Promise<Recovered | undefined> | undefined {
    return this.#cookies.some(({ name }) => valueIn(field, name) !== undefined)
      ? this.#lookUp(field, client)
      : undefined
  }

  async #lookUp(field: string, client: Client): Promise<Recovered | undefined> {
    for (const { name, keyOf } of this.#cookies) {
      const value = valueIn(field, name)
      const found = value === undefined ? undefined : await this.#search.find(keyOf(value), client)
      if (found !== undefined) return { ...found, name }
    }
    return undefined
  }

  /**
   * Heeds what a response does with the cookies: a value that is set leads to the session from now on, one that is deleted no
   * longer leads anywhere. Undefined: nothing to wait for. Never rejects for want of a store.
   */
  learn(
    { setCookies }: ResponseHead,
    field: string | undefined,
    session: SessionKey,
    home: string,
  ): Promise<void> | undefined {
    if (setCookies.length === 0) return
    const now = this.#services.store.now()
    const taught = setCookies.flatMap((setCookie) => {
      const cookie = parseSetCookie(setCookie, now)
      const known = this.#cookies.find(({ name }) => name === cookie?.name)
      if (cookie === undefined || known === undefined) return []
      const { value, lifetime = 1 } = cookie
      if (lifetime > 0) return isTelling(value) ? this.#bind(known.keyOf(unquoted(value)), session, home) : []
      const before = valueIn(field, known.name)
      return before === undefined ? [] : orAway(this.#services.store.sessions.end(known.keyOf(before)))
    })
    return taught.length === 0 ? undefined : Promise.all(taught).then(() => {})
  }

  /** Renews the rows that a request's cookies have, if they lead to this session. Nobody waits for that. */
  renew(field: string | undefined, session: SessionKey): void {
    for (const { name, keyOf } of this.#cookies) {
      const value = valueIn(field, name)
      if (value !== undefined) void this.#renew(keyOf(value), session)
    }
  }

  async #renew(key: SessionKey, session: SessionKey): Promise<void> {
    const { sessions } = this.#services.store
    const row = await orAway(sessions.show(key))
    if (row?.source === sourceOf(session)) sessions.touch(key, row)
  }

  /** Of several sessions that were given one value the last is meant. */
  async #bind(key: SessionKey, session: SessionKey, home: string): Promise<void> {
    const { sessions } = this.#services.store
    const terms = { ...this.#terms, source: sourceOf(session) }
    this.#search.taught(key)
    const held = await orAway(sessions.show(key))
    if (held?.source === terms.source) return sessions.touch(key, held)
    const row = await orAway(sessions.bind(key, home, held?.version ?? 0, terms))
    if (row?.state === 'ended') await orAway(sessions.bind(key, home, row.version, terms))
  }
}

function valueIn(field: string | undefined, name: string): string | undefined {
  const value = field === undefined ? undefined : cookieValue(field, name)
  return value !== undefined && isTelling(value) ? unquoted(value) : undefined
}

/** A value that many clients share tells of no session. */
function isTelling(value: string): boolean {
  const text = unquoted(value)
  return text !== '' && text !== 'null'
}
