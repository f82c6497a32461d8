import type { Milliseconds } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import { AdminProblem, type CheckResource, type PoolQuery, type Timestamp } from './admin-api.ts'
import type { Finding } from './health-check.ts'

/** The pools a query asks about; a pool this node does not know is a problem. */
export function poolsOf(pools: readonly PoolConfig[], query: PoolQuery): readonly PoolConfig[] {
  if (query.pool === undefined) return pools
  const pool = pools.find((candidate) => candidate.id === query.pool)
  if (pool === undefined) throw new AdminProblem('no-such-pool', `this node has no pool named ${query.pool}`)
  return [pool]
}

/** A moment as the API writes it. */
export function timestamp(moment: Milliseconds): Timestamp {
  return new Date(moment).toISOString()
}

/** What health checks find, as the API writes it. */
export function checkResource(finding: Finding | undefined): CheckResource | null {
  if (finding === undefined) return null
  return { up: finding.well ?? null, reason: finding.trouble ?? null }
}
