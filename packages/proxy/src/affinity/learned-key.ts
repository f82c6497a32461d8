import type { Milliseconds, SessionKey } from '@sticky/store'

import type { KeySource } from '../config/config.ts'
import { cookieValue, unquoted } from './cookies.ts'
import type { Fingerprints } from './fingerprint.ts'
import { parseSetCookie, type SetCookie } from './set-cookie.ts'

/** What a response does with the value of one source. */
export type KeyChange =
  | { readonly source: LearnedKey; readonly set: SessionKey }
  | { readonly source: LearnedKey; readonly set: undefined }

/** A cookie of the application whose value is the key of a session. */
export class LearnedKey {
  /** As `sticky-cli sessions` shows it. */
  readonly name: string
  readonly #cookie: string
  readonly #keyOf: (value: string) => SessionKey

  constructor({ cookie }: KeySource, pool: string, fingerprints: Fingerprints) {
    this.name = `cookie:${cookie}`
    this.#cookie = cookie
    this.#keyOf = fingerprints.keysOf(pool, this.name)
  }

  /** The key a request brings: of two cookies of the name the first counts. */
  presentedIn(field: string): SessionKey | undefined {
    const value = cookieValue(field, this.#cookie)
    return value === undefined ? undefined : this.#key(value)
  }

  /** What these Set-Cookie fields do with it, the last that names it deciding; undefined: nothing. */
  changedBy(setCookies: readonly string[], now: Milliseconds): KeyChange | undefined {
    const cookie = this.#lastOf(setCookies, now)
    if (cookie === undefined) return undefined
    if (cookie.lifetime !== undefined && cookie.lifetime <= 0) return { source: this, set: undefined }
    const key = this.#key(cookie.value)
    return key && { source: this, set: key }
  }

  #lastOf(setCookies: readonly string[], now: Milliseconds): SetCookie | undefined {
    for (const field of setCookies.toReversed()) {
      const cookie = field.startsWith(this.#cookie) ? parseSetCookie(field, now) : undefined
      if (cookie?.name === this.#cookie) return cookie
    }
    return undefined
  }

  /** A value that many clients share is no key. */
  #key(value: string): SessionKey | undefined {
    const text = unquoted(value)
    return text === '' || text === 'null' ? undefined : this.#keyOf(text)
  }
}
