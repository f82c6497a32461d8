import type { CookieRecord, Milliseconds } from '@sticky/store'

import type { ResponseHead } from '../wire/response-head.ts'
import type { Fingerprints } from './fingerprint.ts'
import { parseSetCookie } from './set-cookie.ts'

/** What an application does with cookies in one response. */
export interface ApplicationCookies {
  /** Its own cookies, for their rows; an age of 0 drops one. */
  readonly records: readonly CookieRecord[]
  /** Does it set a cookie of our name? It is no cookie of its own then, and ours must follow it. */
  readonly setsOurs: boolean
}

const none: ApplicationCookies = { records: [], setsOurs: false }

/** Reads the Set-Cookie fields of a response; `age` is for cookies that name none themselves. */
export function applicationCookies(
  response: ResponseHead,
  {
    ours,
    age,
    now,
    fingerprints,
  }: {
    readonly ours: readonly string[]
    readonly age: Milliseconds
    readonly now: Milliseconds
    readonly fingerprints: Fingerprints
  },
): ApplicationCookies {
  if (response.setCookies.length === 0) return none
  const records: CookieRecord[] = []
  let setsOurs = false
  for (const field of response.setCookies) {
    const cookie = parseSetCookie(field, now)
    if (cookie === undefined) continue
    const { name, value, attributes, lifetime = age } = cookie
    if (ours.includes(name)) setsOurs = true
    else records.push({ name, fingerprint: fingerprints.ofCookie(name, value), age: Math.max(0, lifetime), attributes })
  }
  return { records, setsOurs }
}
