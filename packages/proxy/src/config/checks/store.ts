import { defaults } from '../defaults.ts'
import type { Draft } from '../draft.ts'
import { parseDuration } from '../duration.ts'
import { Flaw } from '../flaw.ts'
import type { Report } from '../mistakes.ts'

/** What the store allows: one process with `memory:`, and a lease that outlives a lost heartbeat. */
export function checkStore({ node, store = {} }: Draft, report: Report): void {
  const url = Object.hasOwn(store, 'url') ? store.url : defaults.store.url
  const workers = node?.workers ?? 1
  if (workers > 1 && url === 'memory:') {
    report(
      ['node', 'workers'],
      `must be 1 with store.url memory:, which processes cannot share; ${workers} need a Redis`,
    )
  }
  const lease = parseDuration(store.lease ?? defaults.store.lease)
  const heartbeat = parseDuration(store.heartbeat ?? defaults.store.heartbeat)
  const known = !(lease instanceof Flaw || heartbeat instanceof Flaw)
  if (known && lease < 2 * heartbeat) {
    const place = store.lease === undefined ? 'heartbeat' : 'lease'
    report(['store', place], 'makes the lease shorter than two heartbeats, so that one lost heartbeat would end a node')
  }
}
