import { defaults } from '../defaults.ts'
import { type Draft, isTakenOut } from '../draft.ts'
import { parseDuration } from '../duration.ts'
import { Flaw } from '../flaw.ts'
import type { Report } from '../mistakes.ts'

/** What the store allows: one process with `memory:`, and a lease that outlives a lost heartbeat. */
export function checkStore({ node, store = {} }: Draft, report: Report): void {
  const url = isTakenOut(store, 'url') ? '' : (store.url ?? defaults.store.url)
  const workers = node?.workers ?? 1
  if (workers > 1 && url === 'memory:') {
    report(['node', 'workers'], 'must be 1 with store.url memory:, which processes cannot share; more need a Redis')
  }
  if (isShort(store)) {
    const key = store.lease === undefined ? 'heartbeat' : 'lease'
    report(['store', key], 'makes the lease shorter than two heartbeats, so that one lost heartbeat would end a node')
  }
}

function isShort(store: NonNullable<Draft['store']>): boolean {
  if (isTakenOut(store, 'lease') || isTakenOut(store, 'heartbeat')) return false
  const lease = parseDuration(store.lease ?? defaults.store.lease)
  const heartbeat = parseDuration(store.heartbeat ?? defaults.store.heartbeat)
  return !(lease instanceof Flaw || heartbeat instanceof Flaw) && lease < 2 * heartbeat
}
