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
  const name = nameSetBy(field)
  if (name === undefined) return undefined
  const value = field.slice(field.indexOf('=') + 1, endOfPart(field, 0)).trim()
  const attributes = new Attributes()
  for (const attribute of attributesOf(field)) attributes.add(attribute)
  return { name, value, lifetime: attributes.lifetime(now), attributes: attributes.others }
}

/** The cookie that a Set-Cookie field sets; undefined when it names none. */
export function nameSetBy(field: string): string | undefined {
  const equals = field.indexOf('=')
  const name = field.slice(0, Math.max(equals, 0)).trim()
  return name === '' || equals > endOfPart(field, 0) ? undefined : name
}

/** The attributes of a Set-Cookie field as received, such as `Max-Age=60`; some may be empty. */
export function attributesOf(field: string): string[] {
  const attributes: string[] = []
  for (let start = endOfPart(field, 0) + 1; start < field.length; start = endOfPart(field, start) + 1) {
    attributes.push(field.slice(start, endOfPart(field, start)).trim())
  }
  return attributes
}

/** The value of an attribute, without quotes, if it is of that name, given in lower case. */
export function attributeValue(attribute: string, name: string): string | undefined {
  if (attribute.length <= name.length || attribute[name.length - 1]!.toLowerCase() !== name.at(-1)) return undefined
  const equals = attribute.indexOf('=', name.length)
  if (equals < 0 || attribute.slice(0, equals).trimEnd().toLowerCase() !== name) return undefined
  return unquoted(attribute.slice(equals + 1).trim())
}

/** Writes a Set-Cookie field. */
export function printSetCookie(name: string, value: string, attributes: string): string {
  return attributes === '' ? `${name}=${value}` : `${name}=${value}; ${attributes}`
}

/** The longest that browsers keep a cookie: 400 days (RFC 6265bis 5.5). */
export const longestLife: Milliseconds = 400 * 24 * 60 * 60 * 1000

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
    return lifetime === undefined ? undefined : Math.min(lifetime, longestLife)
  }
}

function endOfPart(field: string, start: number): number {
  const end = field.indexOf(';', start)
  return end < 0 ? field.length : end
}

function milliseconds(seconds: string): Milliseconds | undefined {
  return /^-?\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined
}
