import { covers } from '../../routing/uri-pattern.ts'
import { type Draft, type DraftRoute, isTakenOut } from '../draft.ts'
import { type Report, showPath } from '../mistakes.ts'
import { didYouMean } from '../suggestion.ts'

/** Each route leads to a pool and can be reached. */
export function checkRoutes({ pools, routes }: Draft, report: Report): void {
  const ids = pools && Object.keys(pools)
  if (ids) checkPools(routes, ids, report)
  routes?.forEach((route, index) => {
    const earlier = routes.findIndex((candidate, place) => place < index && shadows(candidate, route))
    if (earlier < 0) return
    const all = showPath(['routes', earlier])
    report(
      ['routes', index],
      `can never be reached: ${all} before it matches all that this one does; move this one up or remove it`,
    )
  })
}

function checkPools(routes: Draft['routes'], ids: readonly string[], report: Report): void {
  if (routes === undefined && ids.length > 1) {
    report(
      ['routes'],
      `is missing; with ${ids.length} pools it must say which requests go where, such as [{ path: /*, pool: ${ids[0]} }]`,
    )
  }
  routes?.forEach((route, index) => {
    const pool = route?.pool
    if (pool === undefined || ids.includes(pool)) return
    const detail = `, got ${JSON.stringify(pool)}${didYouMean(pool, ids)}`
    report(['routes', index, 'pool'], `must be one of the pools: ${ids.join(', ')}`, detail)
  })
}

function shadows(earlier: DraftRoute | undefined, route: DraftRoute | undefined): boolean {
  if (!isClear(earlier) || !isClear(route)) return false
  return covers({ host: earlier.host, path: earlier.path }, { host: route.host, path: route.path })
}

/** A route whose host or path was a mistake says nothing about which requests it matches. */
function isClear(route: DraftRoute | undefined): route is DraftRoute {
  return route !== undefined && !isTakenOut(route, 'host') && !isTakenOut(route, 'path')
}
