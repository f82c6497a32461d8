import { type Draft, type DraftPool, isTakenOut } from '../draft.ts'
import type { Path, Report } from '../mistakes.ts'

/** What cookies call an instance names one backend of a pool, or sessions would wander between two. */
export function checkInstances({ pools = {} }: Draft, report: Report): void {
  for (const [id, pool] of Object.entries(pools)) if (pool) checkPool(['pools', id, 'backends'], pool, report)
}

function checkPool(path: Path, { backends = [] }: DraftPool, report: Report): void {
  const owners = new Map<string, number>()
  backends.forEach((backend, index) => {
    if (!backend || isTakenOut(backend, 'instance')) return
    const { id, instance = id } = backend
    if (typeof instance !== 'string') return
    const owner = owners.get(instance)
    if (owner === undefined) owners.set(instance, index)
    // Two backends of one id are a mistake that `checkPools` tells.
    else if (backends[owner]?.id !== id)
      report([...path, index, 'instance'], `must differ from what backends[${owner}] is called: it names one backend`)
  })
}
