import { deadlineOf, touchInterval } from './ageing.ts'
import type { Linked } from './lru.ts'
import type { UnconfirmedBind } from './near-unconfirmed.ts'
import type { Binding, CookieRecord, Milliseconds, SessionKey, Terms } from './store.ts'

/** A session held near. */
export interface Entry extends Linked<Entry> {
  binding: Binding
  /** What the change feed heard by when it was read. */
  generation: number
  /** When the store was last asked to renew it; 0 for not by this process. */
  touched: Milliseconds
  /** The cookies last told to the store, and when. */
  recorded: readonly CookieRecord[]
  recordedAt: Milliseconds
}

/** A session just read. */
export function entryOf({ pool, id }: SessionKey, binding: Binding, generation: number): Entry {
  return {
    pool,
    id,
    binding,
    generation,
    touched: 0,
    recorded: [],
    recordedAt: 0,
    newer: undefined,
    older: undefined,
  }
}

/** What is in force here of a binding that the store could not be told of. */
export function unconfirmedBinding(
  { backend, seen, terms }: UnconfirmedBind,
  before: Binding | undefined,
  now: Milliseconds,
): Binding {
  const { age, lifetime, endsWithLastCookie = false, source } = terms
  const end = before?.end ?? (lifetime === undefined ? 0 : now + lifetime)
  const deadline = deadlineOf({ touched: now, age, end })
  const { created = now, epoch = 0 } = before ?? {}
  return {
    ...{ state: 'bound', backend, version: seen + 1, epoch },
    created,
    age,
    deadline,
    end,
    endsWithLastCookie,
    source,
  }
}

/** How a session that the store forgot begins there again. */
export function restoringTerms({ age, end, source = 'restored' }: Binding, now: Milliseconds): Terms {
  return { age, lifetime: end === 0 ? undefined : Math.max(1, end - now), source }
}

/** One that ends with its last cookie keeps its deadline here, and is read again then: only the store knows its cookies. */
export function prolonged(binding: Binding, now: Milliseconds): Binding {
  if (binding.endsWithLastCookie) return binding
  const { age, end } = binding
  return { ...binding, deadline: deadlineOf({ touched: now, age, end }) }
}

/** An application that sets the same cookie with each response tells no more than a later expiry; a tenth may pass. */
export function isFresh(
  { binding, recorded, recordedAt }: Entry,
  cookies: readonly CookieRecord[],
  now: number,
): boolean {
  if (binding.endsWithLastCookie || recorded.length !== cookies.length) return false
  return cookies.every((cookie, i) => {
    const before = recorded[i]!
    const later = now + cookie.age - (recordedAt + before.age)
    return isSame(cookie, before) && Math.abs(later) < touchInterval(cookie.age)
  })
}

function isSame(a: CookieRecord, b: CookieRecord): boolean {
  return a.fingerprint === b.fingerprint && a.name === b.name && a.attributes === b.attributes
}
