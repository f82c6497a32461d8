import type { RequestHead } from '../wire/request-head.ts'

/** A route of the configuration, ready to match; `To` is what it leads to. */
export interface Route<To> {
  /** Its place in the configuration, from 0. */
  readonly index: number
  readonly to: To
}

/** Finds the route of a request: the first in file order whose host and path both match. */
export interface RouteTable<To> {
  match(request: RequestHead): Route<To> | undefined
}
