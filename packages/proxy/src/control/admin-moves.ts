import type { Milliseconds, SessionFilter, SessionRow, Store } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import { type AdminApi, AdminProblem, apiVersion } from './admin-api.ts'
import { type BackendSources, configured, describeBackends, isOpen } from './admin-backends.ts'
import { poolsOf } from './admin-resources.ts'
import { sessionResource } from './admin-sessions.ts'
import { bulkChanges, type Outcome } from './bulk-changes.ts'
import type { MoveCounts } from './move-counts.ts'
import { NewHomes } from './new-homes.ts'
import type { BulkProgress, BulkSelection, SessionMove, SessionMoved } from './operator-commands.ts'
import { sessionRow } from './session-rows.ts'
import { sessionTables } from './session-tables.ts'

/** What the operations that change where sessions live draw on. */
export interface MoveSources extends BackendSources {
  readonly moves: MoveCounts
}

type MoveOperations = Pick<AdminApi, 'endSession' | 'moveSession' | 'moveSessions' | 'endSessions'>

const usualRate = 500

/** The part of the admin API that moves and ends sessions: in force on every live node when it answers. */
export function moveOperations(sources: MoveSources): MoveOperations {
  const { store, pools, acknowledgements, moves } = sources
  return {
    async endSession(id, { close = false, ...query }) {
      const row = await sessionRow(store, pools, id, query)
      if (row === undefined || !(await store.sessions.end(row.key))) return undefined
      if (close) await store.recall(row.key.pool, [id])
      return { apiVersion, id, pool: row.key.pool, unacknowledged: await acknowledgements.missing() }
    },

    async moveSession(id, { backend, ifVersion, close = false, dryRun = false }, query) {
      const row = await sessionRow(store, pools, id, query)
      if (row === undefined) return undefined
      checkTarget(sources, poolWith(pools, row.key.pool, backend), backend)
      if (dryRun) return unmoved(row, { backend, ifVersion }, store.now())
      const moved = await store.sessions.move(row.key, backend, ifVersion)
      if (moved.state !== 'bound') return undefined
      if (moved.backend !== backend) throw conflict(moved)
      if (moved.version !== row.version) moves.add(row.key.pool, 'operator')
      if (close) await store.recall(row.key.pool, [id])
      const unacknowledged = await acknowledgements.missing()
      return { ...sessionResource({ ...row, ...moved, source: row.source }, store.now()), unacknowledged }
    },

    async *moveSessions({ to, reason = 'operator', ...selection }) {
      const pool = poolOf(pools, selection, to)
      const homes = await homesFor(sources, pool, selection.from, to)
      yield* changeAll(sources, pool, selection, async (row) => {
        const home = homes.next()
        const moved = await store.sessions.move(row.key, home, row.version)
        if (moved.state !== 'bound') return 'gone'
        if (moved.backend !== home) return 'skipped'
        moves.add(pool.id, reason)
        return 'changed'
      })
    },

    async *endSessions({ reason: _, ...selection }) {
      const pool = poolOf(pools, selection, undefined)
      yield* changeAll(sources, pool, selection, async ({ key, version }) => {
        if (await store.sessions.end(key, version)) return 'changed'
        return (await store.operators.show(key)) === undefined ? 'gone' : 'skipped'
      })
    },
  }
}

/** What a move that is not made would come to. */
function unmoved(row: SessionRow, { backend, ifVersion = row.version }: SessionMove, now: Milliseconds): SessionMoved {
  if (row.version !== ifVersion && row.backend !== backend) throw conflict(row)
  return { ...sessionResource(row, now), unacknowledged: [] }
}

async function homesFor(
  sources: MoveSources,
  pool: PoolConfig,
  from: string,
  to: string | undefined,
): Promise<NewHomes> {
  if (to === from) throw new AdminProblem('invalid-request', `they live on ${from} already`)
  if (to !== undefined) checkTarget(sources, pool, to)
  const byId = new Map(pool.backends.map((backend) => [backend.id, backend]))
  const homes =
    to === undefined
      ? (await describeBackends(sources, pool)).filter(({ id }) => id !== from)
      : [{ id: to, state: 'ready' as const, weight: 1, sessions: 0 }]
  return new NewHomes(homes, (id) => isOpen(sources.orders, pool.id, byId.get(id)!))
}

async function* changeAll(
  { store, acknowledgements }: MoveSources,
  pool: PoolConfig,
  selection: BulkSelection,
  change: (row: SessionRow) => Promise<Outcome>,
): AsyncGenerator<BulkProgress> {
  const { from, idleGt, limit = Number.POSITIVE_INFINITY, rate = usualRate, dryRun = false, close = false } = selection
  const idleGreaterThan = idleGt === undefined ? undefined : idleGt * 1000
  const told = { apiVersion, unacknowledged: [] } as const
  let tally = { changed: 0, skipped: 0, gone: 0 }
  const bulk = bulkChanges({
    rows: sessionsIn(store, sessionTables(pool), { backend: from, idleGreaterThan }),
    ...{ limit, rate: dryRun ? Number.POSITIVE_INFINITY : rate },
    change: dryRun ? async () => 'changed' : change,
    changed: (rows) => recallAll(store, close && !dryRun ? rows : []),
  })
  for await (tally of bulk) yield { ...told, ...tally, done: false }
  yield { ...told, ...tally, done: true, unacknowledged: dryRun ? [] : await acknowledgements.missing() }
}

async function* sessionsIn(store: Store, tables: readonly string[], filter: SessionFilter): AsyncGenerator<SessionRow> {
  for (const table of tables) yield* store.sessions.list(table, filter)
}

async function recallAll(store: Store, rows: readonly SessionRow[]): Promise<void> {
  const tables = Map.groupBy(rows, ({ key }) => key.pool)
  for (const [table, recalled] of tables) {
    const ids = recalled.map(({ key }) => key.id)
    await store.recall(table, ids)
  }
}

/** The pool that is named, or the only one that has such backends. Where sessions live now need not be configured any more. */
function poolOf(pools: readonly PoolConfig[], { pool, from }: BulkSelection, to: string | undefined): PoolConfig {
  if (pool !== undefined) return poolsOf(pools, { pool })[0]!
  const having = pools.filter(({ backends }) => backends.some(({ id }) => id === from || id === to))
  const both = having.filter(({ backends }) => backends.some(({ id }) => id === (to ?? from)))
  if (both.length === 1) return both[0]!
  if (both.length === 0) throw new AdminProblem('no-such-backend', `no pool has a backend named ${to ?? from}`)
  const names = both.map(({ id }) => id).join(', ')
  throw new AdminProblem('ambiguous-backend', `several pools (${names}) have a backend named ${to ?? from}: name one`)
}

function checkTarget({ pools, orders }: MoveSources, pool: PoolConfig, id: string): void {
  const { backend } = configured(pools, pool.id, id)
  if (isOpen(orders, pool.id, backend)) return
  const { state = 'ready' } = orders.of(pool.id, id) ?? {}
  const why = state === 'ready' ? 'has weight 0' : `is in ${state}`
  throw new AdminProblem('backend-not-ready', `backend ${pool.id}/${id} ${why}`)
}

/** The pool with that backend whose sessions are in the table; the table's own where none has it. */
function poolWith(pools: readonly PoolConfig[], table: string, backend: string): PoolConfig {
  const having = pools.filter((pool) => sessionTables(pool).includes(table))
  return having.find(({ backends }) => backends.some(({ id }) => id === backend)) ?? poolsOf(pools, { pool: table })[0]!
}

function conflict({ backend, version }: { readonly backend: string; readonly version: number }): AdminProblem {
  return new AdminProblem('version-conflict', `the session has version ${version} by now and lives on ${backend}`)
}
