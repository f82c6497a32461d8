import type { PoolQuery, SessionCount } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { printDocument } from './output.ts'
import { type Column, table } from './tables.ts'

/** `sticky-cli sessions count`: live sessions by pool and backend, exact. */
export async function countSessions({ api, output }: CommandContext, query: CountQuery): Promise<void> {
  const count = narrowed(await api.countSessions({ pool: query.pool }), query.backend)
  await printDocument(output, count, () => table(countColumns, countRows(count), output.color))
}

/** Which sessions to count. */
export interface CountQuery extends PoolQuery {
  readonly backend?: string | undefined
}

interface CountRow {
  readonly pool: string
  readonly backend: string
  readonly sessions: number
}

const countColumns: readonly Column<CountRow>[] = [
  { title: 'POOL', value: ({ pool }) => pool },
  { title: 'BACKEND', value: ({ backend }) => backend },
  { title: 'SESSIONS', value: ({ sessions }) => sessions, align: 'right' },
]

function countRows({ total, pools }: SessionCount): CountRow[] {
  const rows = pools.flatMap(({ pool, backends }) => backends.map((counted) => ({ pool, ...counted })))
  return [...rows, { pool: 'total', backend: '', sessions: total }]
}

function narrowed(count: SessionCount, only: string | undefined): SessionCount {
  if (only === undefined) return count
  const pools = count.pools.flatMap(({ pool, backends }) => {
    const kept = backends.filter(({ backend }) => backend === only)
    return kept.length === 0 ? [] : [{ pool, total: sum(kept), backends: kept }]
  })
  return { ...count, pools, total: pools.reduce((total, pool) => total + pool.total, 0) }
}

function sum(counts: readonly { readonly sessions: number }[]): number {
  return counts.reduce((total, { sessions }) => total + sessions, 0)
}
