import { deadlineOf } from './ageing.ts'
import type { UnconfirmedBind } from './near-unconfirmed.ts'
import type { Binding, Milliseconds, Terms } from './store.ts'

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
