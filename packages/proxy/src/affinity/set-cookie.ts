import type { Milliseconds } from '@sticky/store'

import { parseCookieDate } from './cookie-date.ts'
import { unquoted } from './cookies.ts'

/** A cookie as a response sets it. */
export interface SetCookie {
  readonly name: string
  /** As received, quotes included. */
  readonly value: string
  /** Time to live from now, by Max-Age, else Expires; zero or less deletes it; undefined when neither tells. */
  readonly lifetime: Milliseconds | undefined
  /** The other attributes as people read them, such as `Path=/; HttpOnly`. */
  readonly attributes: string
}

/** Reads one Set-Cookie field; undefined when it names no cookie. Only semicolons separate: a date has a comma. */
export function parseSetCookie(field: string, now: Milliseconds): SetCookie | undefined {
  const pairEnd = endOfPart(field, 0)
  const equals = field.indexOf('=')
  const name = field.slice(0, Math.max(equals, 0)).trim()
  if (equals > pairEnd || name === '') return undefined
  const value = field.slice(equals + 1, pairEnd).trim()
  const attributes = new Attributes()
  for (let start = pairEnd + 1; start < field.length; start = endOfPart(field, start) + 1) {
    attributes.add(field.slice(start, endOfPart(field, start)).trim())
  }
  return { name, value, lifetime: attributes.lifetime(now), attributes: attributes.others }
}

/** Writes a Set-Cookie field. */
export function printSetCookie(name: string, value: string, attributes: string): string {
  return attributes === '' ? `${name}=${value}` : `${name}=${value}; ${attributes}`
}

/** The longest that browsers keep a cookie: 400 days (RFC 6265bis 5.5). */
const longest: Milliseconds = 400 * 24 * 60 * 60 * 1000

/** RFC 6265 5.3: Max-Age counts before Expires, and of each the last that can be read. */
class Attributes {
  others = ''
  #maxAge: Milliseconds | undefined
  #expires: Milliseconds | undefined

  add(attribute: string): void {
    const maxAge = attributeValue(attribute, 'max-age')
    const expires = maxAge === undefined ? attributeValue(attribute, 'expires') : undefined
    if (maxAge !== undefined) this.#maxAge = milliseconds(maxAge) ?? this.#maxAge
    else if (expires !== undefined) this.#expires = parseCookieDate(expires) ?? this.#expires
    else if (attribute !== '') this.others += this.others === '' ? attribute : `; ${attribute}`
  }

  lifetime(now: Milliseconds): Milliseconds | undefined {
    const lifetime = this.#maxAge ?? (this.#expires === undefined ? undefined : this.#expires - now)
    return lifetime === undefined ? undefined : Math.min(lifetime, longest)
  }
}

function endOfPart(field: string, start: number): number {
  const end = field.indexOf(';', start)
  return end < 0 ? field.length : end
}

/** The value of an attribute of that name, without quotes; `name` in lower case. */
function attributeValue(attribute: string, name: string): string | undefined {
  if (attribute.length <= name.length || attribute[name.length - 1]!.toLowerCase() !== name.at(-1)) return undefined
  const equals = attribute.indexOf('=', name.length)
  if (equals < 0 || attribute.slice(0, equals).trimEnd().toLowerCase() !== name) return undefined
  return unquoted(attribute.slice(equals + 1).trim())
}

function milliseconds(seconds: string): Milliseconds | undefined {
  return /^-?\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined
}
