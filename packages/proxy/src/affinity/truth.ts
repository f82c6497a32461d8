import type { Milliseconds, Row } from '@sticky/store'

import type { Seal } from './seal.ts'

/** Whose word counts about a session: its row's, its cookie's (the row is to be written from it), or it is over. */
export type Truth = 'row' | 'cookie' | 'over'

/** Which is true, row or cookie (decision 0004)? `age` is the idle limit; the time is asked for only where it matters. */
export function truthOf(row: Row, seal: Seal, age: Milliseconds, clock: { now(): Milliseconds }): Truth {
  if (row.state === 'ended') return 'over'
  if (row.state === 'bound') return row.version >= seal.version ? 'row' : 'cookie'
  return wasForgotten(row.epoch, seal, age, clock.now()) ? 'cookie' : 'over'
}

/** Did the store lose the row, or was it never written? Else it expired. */
function wasForgotten(epoch: number, seal: Seal, age: Milliseconds, now: Milliseconds): boolean {
  if (seal.provisional || now < seal.end) return true
  // A lifetime or a last cookie ends a session whatever happened to its shard.
  const endsByAge = seal.end >= seal.sealed + age
  return endsByAge && epoch !== seal.epoch && now < seal.sealed + 1.5 * age
}
