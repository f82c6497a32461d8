import { defaults } from '../defaults.ts'
import type { Draft, DraftStrategy } from '../draft.ts'
import { parseAge } from '../duration.ts'
import { Flaw } from '../flaw.ts'
import { type Path, type Report, showPath } from '../mistakes.ts'
import { checkSessionCookie } from './session-cookie.ts'

/** Strategies make sense by themselves, and those of a chain leave each other's cookies alone. */
export function checkAffinity({ pools = {} }: Draft, report: Report): void {
  for (const [pool, contents] of Object.entries(pools)) {
    const owners = new Map<string, Path>()
    contents?.affinity?.forEach((strategy, index) => {
      if (strategy) checkStrategy(strategy, ['pools', pool, 'affinity', index], owners, report)
    })
  }
}

function checkStrategy(strategy: DraftStrategy, path: Path, owners: Map<string, Path>, report: Report): void {
  checkAges(strategy, path, report)
  if (strategy.strategy === 'session-cookie') checkSessionCookie(strategy, path, report)
  for (const [cookie, place] of cookiesOf(strategy, path)) {
    const owner = owners.get(cookie)
    if (owner) report(place, `must be another cookie than ${showPath(owner)}`)
    owners.set(cookie, owner ?? place)
  }
}

function checkAges({ strategy, age, lifetime }: DraftStrategy, path: Path, report: Report): void {
  const usual = strategy === 'session-cookie' ? defaults.sessionCookie.age : defaults.persistenceKey.age
  const [idle, absolute] = [parseAge(age ?? usual), parseAge(lifetime ?? '')]
  if (idle instanceof Flaw || absolute instanceof Flaw || idle <= absolute) return
  report([...path, 'lifetime'], 'must be at least the age: a session would end before it could be idle so long')
}

/** The cookies a strategy takes for its own: ours by name, or the application's that carry its keys. */
function cookiesOf({ strategy, name, begin, from }: DraftStrategy, path: Path): [string, Path][] {
  const keys = from?.map((source, index): [string | undefined, Path] => [
    source?.cookie,
    [...path, 'from', index, 'cookie'],
  ])
  const beginners = typeof begin === 'object' ? begin.cookies : undefined
  const waits = beginners?.map((cookie, index): [string | undefined, Path] => [
    cookie,
    [...path, 'begin', 'cookies', index],
  ])
  const own: [string | undefined, Path] = [name ?? defaults.sessionCookie.name, [...path, 'name']]
  const all = strategy === 'session-cookie' ? [own, ...(waits ?? [])] : (keys ?? [])
  return all.flatMap(([cookie, place]) => (cookie === undefined ? [] : [[cookie, place]]))
}
