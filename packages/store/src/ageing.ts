import type { Milliseconds } from './store.ts'

/** What decides when a session ends. Moments are store time. */
export interface Ageing {
  readonly touched: Milliseconds
  readonly age: Milliseconds
  /** Absolute end; 0 for none. */
  readonly end: Milliseconds
  /** When the last of its cookies expires, for a session that ends with it. */
  readonly lastCookie?: Milliseconds | undefined
}

/** Touches are told to the store this much of the age apart at most, and a session lives that much longer for it. */
export function touchInterval(age: Milliseconds): Milliseconds {
  return Math.floor(age / 10)
}

/** When the session ends unless it is touched: never early, at most a tenth of its age late. */
export function deadlineOf({ touched, age, end, lastCookie }: Ageing): Milliseconds {
  let deadline = touched + age + touchInterval(age)
  if (end > 0 && end < deadline) deadline = end
  if (lastCookie !== undefined && lastCookie < deadline) deadline = lastCookie
  return deadline
}

/** How long a tombstone stands: longer than anything in flight, or any cookie sealed at the session's last moment. */
export function tombstoneAge(age: Milliseconds): Milliseconds {
  return Math.ceil(age * 1.5)
}

/** The longest age a row can hold, about 34 years. */
const longest: Milliseconds = 2 ** 40 - 1

/** A whole number of milliseconds that a row can hold. */
export function storable(age: Milliseconds): Milliseconds {
  return Math.min(longest, Math.max(0, Math.round(age)))
}
