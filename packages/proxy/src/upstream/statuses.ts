import type { StatusRange } from '../config/config.ts'

/** Is the status in one of these ranges? */
export function isAmong(ranges: readonly StatusRange[], status: number): boolean {
  return ranges.some(({ from, to }) => status >= from && status <= to)
}
