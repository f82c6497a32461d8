import type { Milliseconds, SessionFilter, SessionRow } from './store.ts'

/** Does the row pass the filter at that moment of store time? */
export function matches(row: SessionRow, { backend, idleGreaterThan }: SessionFilter, now: Milliseconds): boolean {
  if (backend !== undefined && row.backend !== backend) return false
  return idleGreaterThan === undefined || now - row.touched > idleGreaterThan
}
