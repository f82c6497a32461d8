import { type RouteAsks, unreachable } from '../../routing/route-order.ts'
import type { PathConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { type Draft, type DraftRoute, isTakenOut, type Sparse } from '../draft.ts'
import { Flaw } from '../flaw.ts'
import { parseHost } from '../host.ts'
import { type Path, type Report, showPath } from '../mistakes.ts'
import { didYouMean } from '../suggestion.ts'

/** Each route leads to a pool and to backends that it has, and can be reached. */
export function checkRoutes(draft: Draft, report: Report): void {
  const { pools, routes, fallback } = draft
  const ids = pools && Object.keys(pools)
  if (ids) {
    checkPools(routes, ids, report)
    checkPool(['fallback'], fallback, ids, report)
  }
  routes?.forEach((route, index) => {
    if (route) checkBackends(route, index, pools ?? {}, report)
  })
  if (!isTakenOut(draft, 'routeMatch')) checkReach(draft, report)
}

function checkPools(routes: Draft['routes'], ids: readonly string[], report: Report): void {
  if (routes === undefined && ids.length > 1) {
    report(
      ['routes'],
      `is missing; with ${ids.length} pools it must say which requests go where, such as [{ path: /*, pool: ${ids[0]} }]`,
    )
  }
  routes?.forEach((route, index) => {
    checkPool(['routes', index, 'pool'], route?.pool, ids, report)
  })
}

function checkPool(path: Path, pool: string | undefined, ids: readonly string[], report: Report): void {
  if (pool === undefined || ids.includes(pool)) return
  report(path, `must be one of the pools: ${ids.join(', ')}`, `, got ${JSON.stringify(pool)}${didYouMean(pool, ids)}`)
}

function checkBackends(
  { pool = '', backends }: DraftRoute,
  index: number,
  pools: NonNullable<Draft['pools']>,
  report: Report,
): void {
  const members = pools[pool]?.backends
  if (members === undefined) return
  const ids = members.flatMap((member) => member?.id ?? [])
  backends?.forEach((backend, place) => {
    if (backend === undefined || ids.includes(backend) || ids.length < members.length) return
    const detail = `, got ${JSON.stringify(backend)}${didYouMean(backend, ids)}`
    report(['routes', index, 'backends', place], `must be one of the backends of ${pool}: ${ids.join(', ')}`, detail)
  })
}

function checkReach({ routes = [], routeMatch = defaults.routeMatch }: Draft, report: Report): void {
  const clear = [...routes.keys()].flatMap((index) => {
    const asks = asksOf(routes[index])
    return asks === undefined ? [] : [{ index, asks }]
  })
  const yields = (place: number): boolean => routes[clear[place]!.index]?.whenDrained === 'next'
  const asks = clear.map((route) => route.asks)
  for (const [place, taker] of unreachable(asks, routeMatch, yields)) {
    const [index, other] = [clear[place]!.index, clear[taker]!.index]
    const all = `${showPath(['routes', other])} ${other < index ? 'before' : 'after'} it`
    report(['routes', index], `can never be reached: ${all} matches all that this one does; ${remedies[routeMatch]}`)
  }
}

const remedies = {
  first: 'move this one up or remove it',
  'bottom-up': 'move this one down or remove it',
  best: 'remove one of them',
} as const

/** Undefined where a mistake leaves open which requests the route matches. */
function asksOf(route: DraftRoute | undefined): RouteAsks | undefined {
  if (route === undefined || (['host', 'path', 'pattern'] as const).some((key) => isTakenOut(route, key)))
    return undefined
  const host = listOf(route.host)?.map((host) => (host === undefined ? undefined : clearHost(host)))
  const path = listOf(route.path)?.map((item) => clearPath(typeof item === 'string' ? item : item?.path))
  if (host?.includes(undefined) || path?.includes(undefined)) return undefined
  return { host: host as string[] | undefined, path: path as PathConfig[] | undefined, pattern: route.pattern }
}

function listOf<Item>(value: Item | Sparse<Item>): Sparse<Item> {
  return value === undefined || Array.isArray(value) ? (value as Sparse<Item>) : [value as Item]
}

function clearHost(host: string): string | undefined {
  const parsed = parseHost(host)
  return parsed instanceof Flaw ? undefined : parsed
}

function clearPath(path: string | undefined): PathConfig | undefined {
  return path === undefined ? undefined : { path, cookie: undefined, parameter: undefined }
}
