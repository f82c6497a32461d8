import { defaults } from '../defaults.ts'
import { type Draft, type DraftStrategy, isTakenOut } from '../draft.ts'
import { parseAge } from '../duration.ts'
import { Flaw } from '../flaw.ts'
import { type Path, type Report, showPath } from '../mistakes.ts'
import { checkCompanionCookie, companionsOf } from './companion-cookie.ts'
import { checkSessionCookie } from './session-cookie.ts'
import { checkShare } from './shared-keys.ts'

/** Strategies make sense by themselves, and those of a chain leave each other's cookies alone. */
export function checkAffinity({ pools = {} }: Draft, report: Report): void {
  for (const [pool, contents] of Object.entries(pools)) {
    const owners = new Map<string, Path>()
    contents?.affinity?.forEach((strategy, index) => {
      if (!strategy) return
      const path = ['pools', pool, 'affinity', index]
      checkStrategy(strategy, path, owners, report)
      checkShare(strategy, path, pools, report)
    })
  }
}

function checkStrategy(strategy: DraftStrategy, path: Path, owners: Map<string, Path>, report: Report): void {
  checkAges(strategy, path, report)
  if (strategy.strategy === 'companion-cookie') checkCompanionCookie(strategy, path, report)
  if (setsOurCookie(strategy)) checkSessionCookie(strategy, path, report)
  for (const [cookie, place] of cookiesOf(strategy, path)) {
    const owner = owners.get(cookie)
    if (owner) report(place, `must be another cookie than ${showPath(owner)}`)
    owners.set(cookie, owner ?? place)
  }
}

function checkAges(contents: DraftStrategy, path: Path, report: Report): void {
  const { strategy, age, lifetime = '' } = contents
  const usual = strategy === 'session-cookie' ? defaults.sessionCookie.age : defaults.persistenceKey.age
  const [idle, absolute] = [parseAge(age ?? usual), parseAge(lifetime)]
  const known = !(idle instanceof Flaw || absolute instanceof Flaw || isTakenOut(contents, 'age'))
  if (known && idle > absolute)
    report([...path, 'lifetime'], 'must be at least the age, or no session lives to be idle so long')
}

/** The cookies a strategy recognises sessions by, and where they are named. */
function cookiesOf(contents: DraftStrategy, path: Path): [string, Path][] {
  const { from = [] } = contents
  if (contents.strategy === 'companion-cookie') return companionsOf(contents, path)
  if (setsOurCookie(contents)) return isTakenOut(contents, 'name') ? [] : [[nameOf(contents), [...path, 'name']]]
  return from.flatMap((source, index): [string, Path][] =>
    source?.cookie === undefined ? [] : [[source.cookie, [...path, 'from', index, 'cookie']]],
  )
}

function setsOurCookie({ strategy }: DraftStrategy): boolean {
  return strategy === 'session-cookie' || strategy === 'instance-cookie'
}

function nameOf({ strategy, name }: DraftStrategy): string {
  return name ?? (strategy === 'instance-cookie' ? defaults.instanceCookie.name : defaults.sessionCookie.name)
}
