import type { PersistenceCode } from '../affinity/strategy.ts'
import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'

/**
 * Why a session is not served at home. `failed`: in this exchange; `full`: it carries all that it may; `load`: it carries too much
 * for the session's liking; `removed`: this pool has no such backend.
 */
export type AwayReason = 'down' | 'maint' | 'failed' | 'full' | 'load' | 'removed'

/** The backend that serves a session instead of its home, counted in the load table. */
export class Elsewhere {
  readonly backend: Backend
  /** The home's id. */
  readonly from: string
  readonly reason: AwayReason
  /** The home, where the session stays at home; undefined: it moves. */
  readonly home: Backend | undefined

  constructor(backend: Backend, from: string, reason: AwayReason, home: Backend | undefined) {
    this.backend = backend
    this.from = from
    this.reason = reason
    this.home = home
  }
}

/** What affinity made of an exchange. A session whose home is kept, be it renewed meanwhile, was served elsewhere this once. */
export function codeWith(elsewhere: Elsewhere | undefined, code: PersistenceCode): PersistenceCode {
  if (elsewhere?.home === undefined) return code
  return code.endsWith('D') ? 'DD' : 'DN'
}

/** Nobody but its home may serve the session, which cannot now but may be waited for. */
export class HomeBarred {
  /** What the client is told in the end. */
  readonly code: RefusalCode

  constructor(code: RefusalCode) {
    this.code = code
  }
}
