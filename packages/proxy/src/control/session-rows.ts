import type { SessionRow, Store } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import { AdminProblem, type PoolQuery } from './admin-api.ts'
import { poolsOf } from './admin-resources.ts'

const sessionId = /^[A-Za-z0-9_-]{22}$/

/** Finds a session by its id; a problem where several pools have it and none is named. */
export async function sessionRow(
  { operators }: Store,
  pools: readonly PoolConfig[],
  id: string,
  query: PoolQuery,
): Promise<SessionRow | undefined> {
  if (!sessionId.test(id)) return undefined
  const found = await liveRows(poolsOf(pools, query).map((pool) => operators.show({ pool: pool.id, id })))
  if (found.length > 1) throw ambiguous(found)
  return found[0]
}

/** Those that live. */
export async function liveRows(asked: readonly Promise<SessionRow | undefined>[]): Promise<SessionRow[]> {
  return (await Promise.all(asked)).filter((row) => row !== undefined)
}

function ambiguous(found: readonly SessionRow[]): AdminProblem {
  const pools = found.map((row) => row.key.pool).join(', ')
  return new AdminProblem('ambiguous-session', `the session lives in several pools (${pools}): name one`)
}
