import { isDeepStrictEqual } from 'node:util'

import { showAddress } from '../config/address.ts'
import type { Config } from '../config/config.ts'

/** What another configuration changes, by names: of a backend `pool/backend`, of a listener its address. */
export interface ConfigChanges {
  readonly pools: NameChanges
  readonly backends: NameChanges
  readonly listeners: NameChanges
  /** Keys of the file, besides those, whose value is another one now. */
  readonly settings: readonly string[]
  /** Keys whose new value waits until the node is started again. */
  readonly needRestart: readonly string[]
}

/** What of one kind came, went, and is another one now. */
export interface NameChanges {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

/** What a running node is bound to. */
const fixed = ['store', 'node', 'admin'] as const

const named: ReadonlySet<string> = new Set<string>([...fixed, 'pools', 'listen'] satisfies (keyof Config)[])

/** What of a configuration a node that runs by another one can serve by. */
export function liveConfig(running: Config, next: Config): Config {
  return { ...next, store: running.store, node: running.node, admin: running.admin }
}

/** What changes for a node that runs by the first. */
export function configChanges(running: Config, next: Config): ConfigChanges {
  const keys = (Object.keys(next) as (keyof Config)[]).filter((key) => !named.has(key))
  return {
    pools: nameChanges(poolsOf(running, next), poolsOf(next, running)),
    backends: nameChanges(backendsOf(running), backendsOf(next)),
    listeners: nameChanges(listenersOf(running), listenersOf(next)),
    settings: keys.filter((key) => !isDeepStrictEqual(running[key], next[key])),
    needRestart: fixed.flatMap((key) => keysThatDiffer(key, running[key], next[key])),
  }
}

/** Pools without their backends, but for the order of those that both configurations have. */
function poolsOf({ pools }: Config, other: Config): [string, unknown][] {
  return pools.map(({ backends, ...pool }) => {
    const there = other.pools.find(({ id }) => id === pool.id)?.backends ?? []
    const order = backends.map(({ id }) => id).filter((id) => there.some((backend) => backend.id === id))
    return [pool.id, { ...pool, order }]
  })
}

function backendsOf({ pools }: Config): [string, unknown][] {
  return pools.flatMap(({ id, backends }) =>
    backends.map((backend): [string, unknown] => [`${id}/${backend.id}`, backend]),
  )
}

function listenersOf({ listen }: Config): [string, unknown][] {
  return listen.map((listener) => [showAddress(listener.address), listener])
}

function nameChanges(before: readonly [string, unknown][], after: readonly [string, unknown][]): NameChanges {
  const had = new Map(before)
  const has = new Map(after)
  return {
    added: [...has.keys()].filter((name) => !had.has(name)),
    removed: [...had.keys()].filter((name) => !has.has(name)),
    changed: [...has.keys()].filter((name) => had.has(name) && !isDeepStrictEqual(had.get(name), has.get(name))),
  }
}

function keysThatDiffer(key: string, before: object | undefined, after: object | undefined): string[] {
  if (before === undefined || after === undefined) return before === after ? [] : [key]
  const inside = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const inIt = (map: object, name: string): unknown => (map as { readonly [name: string]: unknown })[name]
  return inside
    .filter((name) => !isDeepStrictEqual(inIt(before, name), inIt(after, name)))
    .map((name) => `${key}.${name}`)
}
