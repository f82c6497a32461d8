import type { Client, MatchedUri } from '../affinity/strategy.ts'
import type { Balancer } from '../balancing/balancer.ts'
import type { Config, RouteConfig } from '../config/config.ts'
import type { Backend } from '../upstream/backend.ts'
import { checkedPattern, type LinearPattern } from '../wire/linear-pattern.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { bareHost, matchesHost, portOf } from './host-pattern.ts'
import { matchesPath, withoutParameters } from './path-pattern.ts'
import { type Alternative, inOrder, type RouteAsks } from './route-order.ts'

/** A route of the configuration; `To` is what it leads to. */
export interface Route<To> {
  /** Its place in the configuration, from 0. */
  readonly index: number
  readonly to: To
  /** The only backends that get its newcomers, and who chooses among them; undefined: all that the pool has. */
  readonly among: { readonly backends: readonly Backend[]; readonly balancer: Balancer } | undefined
  /** What becomes of its newcomers when none of these takes any. */
  readonly whenDrained: RouteConfig['whenDrained']
  /** What it says of the URI it matched. */
  readonly uri: MatchedUri
}

/** A route before it has its place in a table. */
export interface Rule<To> extends Omit<Route<To>, 'index' | 'uri'> {
  readonly asks: RouteAsks
}

/** How routes are chosen. */
export type RouteChoice = Pick<Config, 'routeMatch' | 'vhostPort'>

/** Finds the route of a request. */
export interface RouteTable<To> {
  /** `port` is the one the client connected to. Routes whose place is in `passed` are passed over. */
  match(request: RequestHead, client: Client, port: number, passed?: ReadonlySet<number>): Route<To> | undefined
}

/** Makes a route table of rules in file order. */
export function routeTable<To>(rules: readonly Rule<To>[], choice: RouteChoice): RouteTable<To> {
  return new OrderedTable(rules, choice)
}

/** An alternative with the route it belongs to. */
interface Entry<To> extends Pick<Alternative, 'host' | 'path'> {
  readonly pattern: LinearPattern | undefined
  readonly route: Route<To>
}

class OrderedTable<To> implements RouteTable<To> {
  readonly #vhostPort: RouteChoice['vhostPort']
  readonly #entries: readonly Entry<To>[]
  /** What can match each host that a route names, so that of a thousand hosts one is looked at. */
  readonly #ofHost: ReadonlyMap<string, readonly Entry<To>[]>
  /** What can match any other host. */
  readonly #ofOthers: readonly Entry<To>[]
  readonly #namesHosts: boolean

  constructor(rules: readonly Rule<To>[], { routeMatch, vhostPort }: RouteChoice) {
    const asks = rules.map((rule) => rule.asks)
    const patterns = asks.map(({ pattern }) => (pattern === undefined ? undefined : checkedPattern(pattern)))
    this.#vhostPort = vhostPort
    this.#entries = inOrder(asks, routeMatch).map(({ index, host, path, uri }) => {
      const { to, among, whenDrained } = rules[index]!
      return { host, path, pattern: patterns[index], route: { index, to, among, whenDrained, uri } }
    })
    this.#ofHost = byHost(this.#entries)
    this.#ofOthers = this.#entries.filter(({ host }) => host.kind !== 'exact')
    this.#namesHosts = this.#entries.some(({ host }) => host.kind !== 'all')
  }

  match(request: RequestHead, client: Client, port: number, passed?: ReadonlySet<number>): Route<To> | undefined {
    const host = this.#namesHosts ? bareHost(request.host) : ''
    const path = withoutParameters(request.path)
    for (const entry of this.#ofHost.get(host) ?? this.#ofOthers) {
      if (!matchesPath(entry.path, path) || !matchesHost(entry.host, host)) continue
      if (entry.host.port !== undefined && entry.host.port !== this.#portOf(request, client, port)) continue
      if (passed?.has(entry.route.index) || entry.pattern?.matches(request.target) === false) continue
      return entry.route
    }
    return undefined
  }

  #portOf(request: RequestHead, client: Client, port: number): number {
    return this.#vhostPort === 'listener' ? port : portOf(request.host, client.secure)
  }
}

/** For each host that an entry names: the entries that can match it, in their order. */
function byHost<To>(entries: readonly Entry<To>[]): ReadonlyMap<string, readonly Entry<To>[]> {
  const ofHost = new Map<string, Entry<To>[]>()
  for (const { host } of entries) if (host.kind === 'exact') ofHost.set(host.name, [])
  for (const entry of entries) {
    const { host } = entry
    if (host.kind === 'exact') ofHost.get(host.name)!.push(entry)
    else for (const [name, own] of ofHost) if (matchesHost(host, name)) own.push(entry)
  }
  return ofHost
}
