import { defaults } from '../defaults.ts'
import { type DraftStrategy, isTakenOut } from '../draft.ts'
import { metaName } from '../meta-name.ts'
import type { Path, Report } from '../mistakes.ts'

/** Where a companion's own two cookies are named. */
export function companionsOf(contents: DraftStrategy, path: Path): [string, Path][] {
  const { name = defaults.companionCookie.name, meta = defaults.companionCookie.meta } = contents
  if (isTakenOut(contents, 'name')) return []
  const place: Path = [...path, 'name']
  return meta
    ? [
        [name, place],
        [metaName(name), place],
      ]
    : [[name, place]]
}

/** A companion goes with another cookie than itself. */
export function checkCompanionCookie(contents: DraftStrategy, path: Path, report: Report): void {
  const ours = companionsOf({ ...contents, meta: true }, path).map(([name]) => name)
  contents.triggers?.forEach((trigger, index) => {
    if (trigger !== undefined && ours.includes(trigger))
      report([...path, 'triggers', index], 'must be a cookie of the application; this one is our own')
  })
}
