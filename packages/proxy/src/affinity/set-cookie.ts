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

/** Reads one Set-Cookie field; undefined when it names no cookie. */
export function parseSetCookie(field: string, now: Milliseconds): SetCookie | undefined {
  const [pair, ...attributes] = field.split(';').map(trimmed)
  const equals = pair!.indexOf('=')
  const name = pair!.slice(0, equals).trim()
  if (equals < 0 || name === '') return undefined
  return {
    name,
    value: pair!.slice(equals + 1).trim(),
    lifetime: lifetimeOf(attributes, now),
    attributes: attributes.filter((attribute) => attribute !== '' && !isLifetime(attribute)).join('; '),
  }
}

/** Writes a Set-Cookie field. */
export function printSetCookie(name: string, value: string, attributes: string): string {
  return attributes === '' ? `${name}=${value}` : `${name}=${value}; ${attributes}`
}

/** The longest that browsers keep a cookie: 400 days (RFC 6265bis 5.5). */
const longest: Milliseconds = 400 * 24 * 60 * 60 * 1000

const maxAge = /^max-age\s*=\s*(.*)$/i
const expires = /^expires\s*=\s*(.*)$/i

function trimmed(part: string): string {
  return part.trim()
}

function isLifetime(attribute: string): boolean {
  return maxAge.test(attribute) || expires.test(attribute)
}

/** RFC 6265 5.3: Max-Age before Expires, of each the last that can be read. */
function lifetimeOf(attributes: readonly string[], now: Milliseconds): Milliseconds | undefined {
  const age = lastOf(attributes, maxAge, seconds)
  if (age !== undefined) return Math.min(age * 1000, longest)
  const end = lastOf(attributes, expires, parseCookieDate)
  return end === undefined ? undefined : Math.min(end - now, longest)
}

function lastOf(
  attributes: readonly string[],
  pattern: RegExp,
  read: (value: string) => number | undefined,
): number | undefined {
  let last: number | undefined
  for (const attribute of attributes) {
    const value = pattern.exec(attribute)?.[1]
    if (value !== undefined) last = read(unquoted(value)) ?? last
  }
  return last
}

function seconds(value: string): number | undefined {
  return /^-?\d+$/.test(value) ? Number(value) : undefined
}
