import { defaults } from '../defaults.ts'
import { type Draft, type DraftPool, isTakenOut } from '../draft.ts'
import { parseDuration } from '../duration.ts'
import { Flaw } from '../flaw.ts'
import type { Report } from '../mistakes.ts'
import { parseId } from '../names.ts'
import { parseOrigin } from '../url.ts'

/** Pools have ids that can stand in keys, and backends that can be told apart. */
export function checkPools({ pools, routes }: Draft, report: Report): void {
  const none = pools && Object.keys(pools).length === 0
  if (none && routes?.length !== 0) report(['pools'], 'must have at least one pool')
  for (const [id, pool] of Object.entries(pools ?? {})) {
    const parsed = parseId(id)
    if (parsed instanceof Flaw) report(['pools', id], parsed.problem)
    if (!pool) continue
    checkBackends(id, pool, report)
    checkEjection(id, pool, report)
    if (pool.countsKnown === true && !isTakenOut(pool, 'balance') && pool.balance !== 'sharedRoundRobin')
      report(['pools', id, 'countsKnown'], 'needs balance: sharedRoundRobin beside it; other policies count no turns')
  }
}

function checkBackends(pool: string, { backends = [] }: DraftPool, report: Report): void {
  const ids = new Map<string, number>()
  const urls = new Map<string, number>()
  backends.forEach((backend, index) => {
    const { id, url } = backend ?? {}
    const path = ['pools', pool, 'backends', index]
    const sameId = id === undefined ? undefined : first(ids, id, index)
    if (sameId !== undefined)
      report([...path, 'id'], `must differ from the id of backends[${sameId}]: sessions follow ids`)
    const origin = url === undefined ? undefined : parseOrigin(url)
    const sameUrl = typeof origin === 'string' ? first(urls, origin, index) : undefined
    if (sameUrl !== undefined)
      report([...path, 'url'], `must differ from the url of backends[${sameUrl}]; for a larger share use weight`)
  })
}

function checkEjection(pool: string, { ejection = {} }: DraftPool, report: Report): void {
  const [first, longest] = (['for', 'longest'] as const).map((key) =>
    isTakenOut(ejection, key) ? new Flaw('') : parseDuration(ejection[key] ?? defaults.ejection[key]),
  )
  const key = ejection.longest === undefined ? 'for' : 'longest'
  if (typeof first === 'number' && typeof longest === 'number' && first > longest)
    report(['pools', pool, 'ejection', key], 'makes the longest pause shorter than the first one')
}

/** Where the name was seen first, if that was before. */
function first(seen: Map<string, number>, name: string, index: number): number | undefined {
  const before = seen.get(name)
  if (before === undefined) seen.set(name, index)
  return before
}
