import { type Draft, type DraftPool, isTakenOut } from '../draft.ts'
import { type Path, type Report, showPath } from '../mistakes.ts'

/** A clone id names one backend of a pool, or sessions would wander between two. */
export function checkCloneIds({ pools = {} }: Draft, report: Report): void {
  for (const [id, pool] of Object.entries(pools)) if (pool) checkPool(['pools', id, 'backends'], pool, report)
}

function checkPool(path: Path, { backends = [] }: DraftPool, report: Report): void {
  const owners = new Map<string, Path>()
  backends.forEach((backend, index) => {
    backend?.cloneIds?.forEach((clone, place) => {
      if (clone !== undefined) claim(owners, clone, [...path, index, 'cloneIds', place], report)
    })
  })
  backends.forEach((backend, index) => {
    const id = backend?.id
    const own = id !== undefined && backend?.cloneIds === undefined && !isTakenOut(backend!, 'cloneIds')
    const owner = own ? owners.get(id) : undefined
    if (owner) report(owner, `must not be the id of backends[${index}], which session ids call by it: give it cloneIds`)
  })
}

function claim(owners: Map<string, Path>, clone: string, path: Path, report: Report): void {
  const owner = owners.get(clone)
  if (owner) report(path, `must differ from ${showPath(owner)}: a clone id names one backend`)
  else owners.set(clone, path)
}
