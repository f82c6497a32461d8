import { readFileSync } from 'node:fs'

// For the store, files, listeners and the admin API, which must answer whatever clients do.
const RESERVE = 64

// What is left is for connections to backends; idle clients need none.
const OF_CLIENTS = 3 / 4

/** How many clients' connections this process has descriptors for; without end where the system does not tell. */
export function clientDescriptors(limits: string = ownLimits()): number {
  const [, soft] = /^Max open files +(\d+) /m.exec(limits) ?? []
  if (soft === undefined) return Number.POSITIVE_INFINITY
  return Math.max(1, Math.floor((Number(soft) - RESERVE) * OF_CLIENTS))
}

function ownLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1')
  } catch {
    return ''
  }
}
