import type { Milliseconds } from '@sticky/store'

import { Flaw } from './flaw.ts'

/** One number and one unit, as Kubernetes' gateways and Go write it. */
export const durationPattern: RegExp = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/

/** What a duration looks like, for people. */
export const durationExpectation = 'must be a duration such as 250ms, 30s, 5m, 4h or 7d'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

// Node's timers fire at once beyond 31 bits.
const longestTimer = 2 ** 31 - 1

/** A duration that a timer can hold: above 0, at most 24 days. */
export function parseDuration(text: string): Milliseconds | Flaw {
  const duration = parseAge(text)
  if (duration instanceof Flaw || duration <= longestTimer) return duration
  return new Flaw('must be at most 24d')
}

/** A duration that no timer waits for, such as a session's age: above 0, at most 10 years. */
export function parseAge(text: string): Milliseconds | Flaw {
  const [, amount, unit] = durationPattern.exec(text) ?? []
  if (!amount || !unit) return new Flaw(durationExpectation)
  const duration = Math.round(Number(amount) * units[unit]!)
  if (duration === 0) return new Flaw('must be longer than 0')
  if (duration > 3650 * units.d!) return new Flaw('must be at most 3650d')
  return duration
}

/** A duration as people write it, in the largest unit that says it in whole numbers. */
export function showDuration(duration: Milliseconds): string {
  const [unit, length] = Object.entries(units).findLast(([, length]) => duration % length === 0) ?? ['ms', 1]
  return `${duration / length}${unit}`
}
