import type { Milliseconds } from '@sticky/store'

import { parseCookieDate } from './cookie-date.ts'
import { attributesOf, attributeValue, longestLife } from './set-cookie.ts'

/** What a companion has of the cookie it goes with. */
export interface CompanionAttributes {
  readonly secure: boolean
  readonly partitioned: boolean
  readonly sameSite: 'Strict' | 'Lax' | 'None' | undefined
  /** Seconds; -1 deletes. */
  readonly maxAge: number | undefined
  /** Since 1970. */
  readonly expires: Milliseconds | undefined
}

/** What a companion has that goes with no cookie. */
export const noAttributes: CompanionAttributes = {
  secure: false,
  partitioned: false,
  sameSite: undefined,
  maxAge: undefined,
  expires: undefined,
}

/** What a Set-Cookie field says of these; of a repeated one the last that can be read counts (RFC 6265 5.3). */
export function attributesToCopy(field: string): CompanionAttributes {
  return attributesOf(field).reduce<CompanionAttributes>(withAttribute, noAttributes)
}

/** A companion's attributes as a Set-Cookie field has them. */
export function printAttributes(path: string, attributes: CompanionAttributes): string {
  const { expires, maxAge, secure, sameSite, partitioned } = attributes
  let printed = `Path=${path}`
  if (expires !== undefined) printed += `; Expires=${new Date(expires).toUTCString()}`
  if (maxAge !== undefined) printed += `; Max-Age=${Math.max(maxAge, 0)}`
  printed += '; HttpOnly'
  if (secure) printed += '; Secure'
  if (sameSite !== undefined) printed += `; SameSite=${sameSite}`
  return partitioned ? `${printed}; Partitioned` : printed
}

/** Would a browser drop a cookie with these at once? */
export function deletes({ maxAge, expires }: CompanionAttributes, now: Milliseconds): boolean {
  return maxAge === undefined ? expires !== undefined && expires <= now : maxAge <= 0
}

/** One of SameSite's words, however it is written. */
export function sameSiteOf(word: string): CompanionAttributes['sameSite'] {
  const written = word.toLowerCase()
  return (['Strict', 'Lax', 'None'] as const).find((known) => known.toLowerCase() === written)
}

/** The longest Max-Age that browsers keep; in seconds. */
export const longestMaxAge: number = longestLife / 1000

function withAttribute(read: CompanionAttributes, attribute: string): CompanionAttributes {
  if (isFlag(attribute, 'secure')) return { ...read, secure: true }
  if (isFlag(attribute, 'partitioned')) return { ...read, partitioned: true }
  const maxAge = attributeValue(attribute, 'max-age')
  if (maxAge !== undefined) return { ...read, maxAge: secondsOf(maxAge) ?? read.maxAge }
  const expires = attributeValue(attribute, 'expires')
  if (expires !== undefined) return { ...read, expires: parseCookieDate(expires) ?? read.expires }
  const sameSite = attributeValue(attribute, 'samesite')
  return sameSite === undefined ? read : { ...read, sameSite: sameSiteOf(sameSite) }
}

/** Whatever value it is given. */
function isFlag(attribute: string, name: string): boolean {
  return attribute.toLowerCase() === name || attributeValue(attribute, name) !== undefined
}

function secondsOf(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined
  const seconds = Math.min(Number(text), longestMaxAge)
  return seconds > 0 ? seconds : -1
}
