import type { CookieRow, MaybePromise, SessionKey, SessionRow, Store } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import {
  type AdminApi,
  apiVersion,
  type CookieResource,
  type PoolQuery,
  type PoolSessionCount,
  type SessionQuery,
  type SessionResource,
} from './admin-api.ts'
import { poolsOf, timestamp } from './admin-resources.ts'
import { liveRows, sessionRow } from './session-rows.ts'

/** What the session operations draw on. */
export interface SessionSources {
  readonly store: Store
  readonly pools: readonly PoolConfig[]
  /** The session a request with this Cookie field would be recognised as in the pool. */
  recognise(pool: string, cookie: string): MaybePromise<SessionKey | undefined>
}

type SessionOperations = Pick<AdminApi, 'sessions' | 'session' | 'findSessions' | 'countSessions' | 'cookies'>

/** The sessions' part of the admin API over the store. Nothing here renews a session. */
export function sessionOperations({ store, pools, recognise }: SessionSources): SessionOperations {
  const { show } = store.operators

  const rowOf = (id: string, query: PoolQuery) => sessionRow(store, pools, id, query)

  return {
    async *sessions(query) {
      let left = query.limit ?? Infinity
      for (const pool of poolsOf(pools, query)) {
        for await (const row of store.sessions.list(pool.id, filterOf(query))) {
          yield sessionResource(row, store.now())
          if (--left <= 0) return
        }
      }
    },

    async session(id, query) {
      const row = await rowOf(id, query)
      return row && sessionResource(row, store.now())
    },

    async findSessions({ cookie, ...query }) {
      const keys = await Promise.all(poolsOf(pools, query).map((pool) => recognise(pool.id, cookie)))
      const found = await liveRows(keys.filter((key) => key !== undefined).map(show))
      return { apiVersion, sessions: found.map((row) => sessionResource(row, store.now())) }
    },

    async countSessions(query) {
      const counts = await Promise.all(
        poolsOf(pools, query).map(async (pool) => poolCount(pool, await store.operators.count(pool.id))),
      )
      return { apiVersion, total: sum(counts.map((count) => count.total)), pools: counts }
    },

    async cookies(id, query) {
      const row = await rowOf(id, query)
      return row && { apiVersion, session: row.key.id, pool: row.key.pool, cookies: row.cookies.map(cookieResource) }
    },
  }
}

function filterOf(query: SessionQuery): { backend: string | undefined; idleGreaterThan: number | undefined } {
  return { backend: query.backend, idleGreaterThan: query.idleGt === undefined ? undefined : query.idleGt * 1000 }
}

/** A session as the API shows it at that moment of store time. */
export function sessionResource(row: SessionRow, now: number): SessionResource {
  return {
    apiVersion,
    id: row.key.id,
    pool: row.key.pool,
    backend: row.backend,
    version: row.version,
    source: row.source,
    created: timestamp(row.created),
    touched: timestamp(row.touched),
    idle: Math.max(0, Math.round(now - row.touched)) / 1000,
    age: row.age / 1000,
    expires: timestamp(row.deadline),
    ends: row.end === 0 ? null : timestamp(row.end),
    endsWithLastCookie: row.endsWithLastCookie === true,
    cookies: row.cookies.length,
  }
}

function cookieResource(row: CookieRow): CookieResource {
  return { name: row.name, fingerprint: row.fingerprint, attributes: row.attributes, expires: timestamp(row.expires) }
}

function poolCount(pool: PoolConfig, counts: ReadonlyMap<string, number>): PoolSessionCount {
  const ids = new Set([...pool.backends.map((backend) => backend.id), ...[...counts.keys()].sort()])
  const backends = Array.from(ids, (backend) => ({ backend, sessions: counts.get(backend) ?? 0 }))
  return { pool: pool.id, total: sum(backends.map((backend) => backend.sessions)), backends }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
