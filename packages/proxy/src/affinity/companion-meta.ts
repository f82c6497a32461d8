import type { Milliseconds } from '@sticky/store'

import { type CompanionAttributes, longestMaxAge, noAttributes, sameSiteOf } from './companion-attributes.ts'

/**
 * The value of the cookie that keeps a companion's attributes, as gorouter writes it:
 * `secure&partitioned&samesite=strict&maxage=1577840400&expires=1577840400`, instants in seconds since 1970, each only if there.
 */
export function printMeta(attributes: CompanionAttributes, now: Milliseconds): string {
  const { secure, partitioned, sameSite, maxAge, expires } = attributes
  const parts: string[] = []
  if (secure) parts.push('secure')
  if (partitioned) parts.push('partitioned')
  if (sameSite !== undefined) parts.push(`samesite=${sameSite.toLowerCase()}`)
  if (maxAge !== undefined) parts.push(`maxage=${maxAge < 0 ? -1 : seconds(now) + maxAge}`)
  if (expires !== undefined) parts.push(`expires=${seconds(expires)}`)
  return parts.join('&')
}

/** What such a value says now. A part that makes no sense is left out; of a value that is no such list nothing is taken. */
export function readMeta(value: string, now: Milliseconds): CompanionAttributes {
  if (/%(?![0-9a-f]{2})/i.test(value)) return noAttributes
  const parts = new URLSearchParams(value)
  return {
    secure: parts.has('secure'),
    partitioned: parts.has('partitioned'),
    sameSite: sameSiteOf(parts.get('samesite') ?? ''),
    maxAge: remaining(instant(parts.get('maxage')), now),
    expires: instant(parts.get('expires')),
  }
}

// The years that a cookie's date can have, 1601 to 9999.
const firstInstant = -11_644_473_600
const lastInstant = 253_402_300_799

function instant(text: string | null): Milliseconds | undefined {
  if (text === null || !/^-?\d{1,12}$/.test(text)) return undefined
  const seconds = Number(text)
  return seconds < firstInstant || seconds > lastInstant ? undefined : seconds * 1000
}

function remaining(end: Milliseconds | undefined, now: Milliseconds): number | undefined {
  if (end === undefined) return undefined
  const left = Math.min(seconds(end) - seconds(now), longestMaxAge)
  return left > 0 ? left : -1
}

function seconds(time: Milliseconds): number {
  return Math.floor(time / 1000)
}
