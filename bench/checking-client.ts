import { setTimeout as delay } from 'node:timers/promises'

import type { Path } from './pages.ts'
import { type Verdict, Visitor } from './visitor.ts'

/** What the client beside the load generator saw. */
export interface Checks {
  readonly replies: number
  /** One sentence for each reply that was not right. */
  readonly faults: readonly string[]
}

export interface CheckingClient {
  stop(): Promise<Checks>
}

// Slow enough to leave the load core to the load generator.
const pause = 20
const visitsPerSession = 10

/** Follows sessions of its own, one visit at a time, each on one node, and checks every byte of every reply. */
export function startChecking(ports: readonly number[], path: Path): CheckingClient {
  const stopping = new AbortController()
  const checks = follow(ports, path, stopping.signal)
  return {
    stop: () => {
      stopping.abort()
      return checks
    },
  }
}

async function follow(ports: readonly number[], path: Path, stopping: AbortSignal): Promise<Checks> {
  const faults: string[] = []
  let replies = 0
  for (let visitor = new Visitor(); !stopping.aborted; replies++) {
    const port = ports[Math.floor(replies / visitsPerSession) % ports.length]!
    const fault = faultIn(await visitor.visit(port, path).catch(brokenBy))
    if (fault) faults.push(fault)
    if (replies % visitsPerSession === visitsPerSession - 1) visitor = new Visitor()
    await delay(pause, undefined, { signal: stopping }).catch(() => undefined)
  }
  return { replies, faults }
}

/** A failed visit as a verdict. */
export function brokenBy(error: unknown): Verdict {
  return { kind: 'broken', why: `no reply: ${(error as Error).message}` }
}

/** A verdict as words; undefined when it is right. */
export function faultIn(verdict: Verdict): string | undefined {
  if (verdict.kind === 'right') return undefined
  return verdict.kind === 'broken' ? verdict.why : 'a follow-up went to a backend that does not hold its session'
}
