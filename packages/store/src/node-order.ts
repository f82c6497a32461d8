import type { NodeRow } from './store.ts'

/** The order in which nodes are shown. */
export function byIdThenStart(a: NodeRow, b: NodeRow): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1
  return a.started - b.started
}
