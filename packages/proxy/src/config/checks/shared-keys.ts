import type { Draft, DraftPool, DraftStrategy } from '../draft.ts'
import type { Path, Report } from '../mistakes.ts'
import { didYouMean } from '../suggestion.ts'

/** Keys are shared with another pool, in which they are its own. */
export function checkShare(
  { share }: DraftStrategy,
  path: Path,
  pools: NonNullable<Draft['pools']>,
  report: Report,
): void {
  if (share === undefined) return
  const place = [...path, 'share']
  if (path[1] === share) return report(place, 'must be another pool than its own, or left out')
  if (!Object.hasOwn(pools, share)) {
    const ids = Object.keys(pools)
    return report(
      place,
      `must be one of the pools: ${ids.join(', ')}`,
      `, got ${JSON.stringify(share)}${didYouMean(share, ids)}`,
    )
  }
  const other = sharedBy(pools[share])
  if (other !== undefined) report(place, `must be ${other}, in which ${share} has its keys`)
}

function sharedBy(pool: DraftPool | undefined): string | undefined {
  return pool?.affinity?.find((strategy) => strategy?.share !== undefined)?.share
}
