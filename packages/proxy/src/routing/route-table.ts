import type { MatchedUri } from '../affinity/strategy.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { bareHost, hostPattern, matchesHost, matchesPath, pathPattern, type RoutePattern } from './uri-pattern.ts'

/** A route of the configuration; `To` is what it leads to. */
export interface Route<To> {
  /** Its place in the configuration, from 0. */
  readonly index: number
  readonly to: To
  /** What it says of the URI it matched. */
  readonly uri: MatchedUri
}

/** Finds the route of a request: the first in file order whose host and path both match. */
export interface RouteTable<To> {
  match(request: RequestHead): Route<To> | undefined
}

/** Makes a route table of patterns in file order. */
export function routeTable<To>(routes: readonly { readonly pattern: RoutePattern; readonly to: To }[]): RouteTable<To> {
  const entries = routes.map(({ pattern, to }, index) => ({
    route: {
      index,
      to,
      uri: { contextPath: contextPath(pattern.path), sessionCookie: undefined, sessionParameter: undefined },
    },
    host: hostPattern(pattern.host),
    path: pathPattern(pattern.path),
  }))
  return {
    match(request) {
      const host = bareHost(request.host)
      return entries.find((entry) => matchesPath(entry.path, request.path) && matchesHost(entry.host, host))?.route
    },
  }
}

function contextPath(path: string | undefined): string {
  return path?.replace(/\/\*$/, '') || '/'
}
