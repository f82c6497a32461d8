import { isWithin } from '../../affinity/instance-prefixes.ts'
import { defaults } from '../defaults.ts'
import { type Draft, type DraftPool, type DraftStrategy, isTakenOut } from '../draft.ts'
import type { Path, Report } from '../mistakes.ts'

/** A path belongs to one backend of a pool, and where paths name backends each of them has one. */
export function checkInstancePaths({ pools = {} }: Draft, report: Report): void {
  for (const [id, pool] of Object.entries(pools)) {
    if (!pool) continue
    checkPrefixes(['pools', id, 'backends'], pool, report)
    pool.affinity?.forEach((strategy, index) => {
      if (strategy?.strategy === 'instance-path') checkStrategy(['pools', id], strategy, index, pool, report)
    })
  }
}

function checkPrefixes(path: Path, { backends = [] }: DraftPool, report: Report): void {
  backends.forEach((backend, index) => {
    const prefix = backend?.prefix
    if (prefix === undefined) return
    const other = backends.findIndex((earlier, place) => place < index && overlap(earlier?.prefix, prefix))
    if (other >= 0)
      report(
        [...path, index, 'prefix'],
        `must not be, contain or lie below that of backends[${other}]: a path has one owner`,
      )
  })
}

function overlap(one: string | undefined, other: string): boolean {
  return one !== undefined && (isWithin(one, other) || isWithin(other, one))
}

function checkStrategy(path: Path, strategy: DraftStrategy, index: number, pool: DraftPool, report: Report): void {
  const { backends = [], affinity = [] } = pool
  const { start = defaults.instancePath.start, mapResponses } = strategy
  backends.forEach((backend, place) => {
    const lacks = backend !== undefined && backend.prefix === undefined && !isTakenOut(backend, 'prefix')
    if (lacks)
      report(
        [...path, 'backends', place, 'prefix'],
        'is missing; instance-path needs one such as /GAS1 of every backend',
      )
    const isOwned = backend?.prefix !== undefined && start !== '/' && isWithin(start, backend.prefix)
    if (isOwned && !isTakenOut(strategy, 'start'))
      report(
        [...path, 'affinity', index, 'start'],
        `must not lie within the prefix of backends[${place}], which owns it`,
      )
  })
  if (mapResponses === true && affinity.length > 1)
    report(
      [...path, 'affinity', index, 'mapResponses'],
      'must be false in a list of several strategies: the others leave answers as they are',
    )
}
