import type { MatchedUri } from '../affinity/strategy.ts'
import type { Config, RouteConfig } from '../config/config.ts'
import { coversHost, type HostPattern, hostPattern, hostRank } from './host-pattern.ts'
import { contextPathOf, coversPath, literalsOf, type PathPattern, pathPattern } from './path-pattern.ts'

/** What a route asks of a request; undefined parts ask nothing. */
export type RouteAsks = Pick<RouteConfig, 'host' | 'path' | 'pattern'>

/** One of a route's hosts together with one of its paths. */
export interface Alternative {
  /** Its route's place in the configuration, from 0. */
  readonly index: number
  readonly host: HostPattern
  readonly path: PathPattern
  /** The regular expression, if the route has one. */
  readonly pattern: string | undefined
  readonly uri: MatchedUri
  /** How specific it is: literal characters of its path, then its host. */
  readonly rank: number
}

/** All alternatives in the order in which they count: the first that matches decides. */
export function inOrder(routes: readonly RouteAsks[], routeMatch: Config['routeMatch']): readonly Alternative[] {
  return routes.flatMap(alternativesOf).sort(orders[routeMatch])
}

type Order = (a: Alternative, b: Alternative) => number

// Within a route the most specific alternative decides, since it may name the cookie.
const orders: Readonly<Record<Config['routeMatch'], Order>> = {
  first: (a, b) => a.index - b.index || b.rank - a.rank,
  'bottom-up': (a, b) => b.index - a.index || b.rank - a.rank,
  best: (a, b) => b.rank - a.rank || a.index - b.index,
}

function alternativesOf({ host = ['*'], path = [everyPath], pattern }: RouteAsks, index: number): Alternative[] {
  const hosts = host.map(hostPattern)
  return path.flatMap(({ path, cookie, parameter }) => {
    const parsed = pathPattern(path)
    const uri = { contextPath: contextPathOf(path), sessionCookie: cookie, sessionParameter: parameter }
    const literals = literalsOf(path)
    return hosts.map((host) => ({
      index,
      host,
      path: parsed,
      pattern,
      uri,
      rank: literals * 1024 + hostRank(host),
    }))
  })
}

const everyPath = { path: '', cookie: undefined, parameter: undefined }

/**
 * For each route that no request can reach, by its place, the route that takes its requests. `yields` tells of routes that may
 * leave a request to those after them.
 */
export function unreachable(
  routes: readonly RouteAsks[],
  routeMatch: Config['routeMatch'],
  yields: (index: number) => boolean,
): ReadonlyMap<number, number> {
  const before = new Earlier()
  const takers = new Map<number, number>()
  const reached = new Set<number>()
  for (const alternative of inOrder(routes, routeMatch)) {
    const taker = before.taking(alternative)
    if (taker === undefined) reached.add(alternative.index)
    else if (!takers.has(alternative.index)) takers.set(alternative.index, taker)
    if (!yields(alternative.index)) before.add(alternative)
  }
  for (const index of reached) takers.delete(index)
  return takers
}

/** The alternatives that count before one, by host. */
class Earlier {
  readonly #ofName = new Map<string, Alternative[]>()
  readonly #ofMany: Alternative[] = []

  add(alternative: Alternative): void {
    const { kind, name } = alternative.host
    if (kind !== 'exact') this.#ofMany.push(alternative)
    else if (!this.#ofName.get(name)?.push(alternative)) this.#ofName.set(name, [alternative])
  }

  /** The route that takes all its requests, if another does. */
  taking(alternative: Alternative): number | undefined {
    const { kind, name } = alternative.host
    const sameName = kind === 'exact' ? this.#ofName.get(name) : undefined
    const takes = (earlier: Alternative): boolean => earlier.index !== alternative.index && covers(earlier, alternative)
    return (sameName?.find(takes) ?? this.#ofMany.find(takes))?.index
  }
}

/** Does `a` match whatever `b` matches? */
function covers(a: Alternative, b: Alternative): boolean {
  const asksNoMore = a.pattern === undefined || a.pattern === b.pattern
  return asksNoMore && coversHost(a.host, b.host) && coversPath(a.path, b.path)
}
