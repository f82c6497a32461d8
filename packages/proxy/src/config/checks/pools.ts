import type { Draft, DraftPool } from '../draft.ts'
import { Flaw } from '../flaw.ts'
import type { Report } from '../mistakes.ts'
import { parseId } from '../names.ts'
import { parseOrigin } from '../url.ts'

/** Pools have ids that can stand in keys, and backends that can be told apart. */
export function checkPools({ pools }: Draft, report: Report): void {
  if (pools && Object.keys(pools).length === 0) report(['pools'], 'must have at least one pool')
  for (const [id, pool] of Object.entries(pools ?? {})) {
    const parsed = parseId(id)
    if (parsed instanceof Flaw) report(['pools', id], parsed.problem)
    if (pool) checkBackends(id, pool, report)
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

/** Where the name was seen first, if that was before. */
function first(seen: Map<string, number>, name: string, index: number): number | undefined {
  const before = seen.get(name)
  if (before === undefined) seen.set(name, index)
  return before
}
