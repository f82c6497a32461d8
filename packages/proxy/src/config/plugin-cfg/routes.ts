import { Attributes } from './attributes.ts'
import type { Origins, RouteContents } from './contents.ts'
import { type Groups, hostGroupsOf, uriGroupsOf } from './groups.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** Makes routes of a file's Routes, in its order; `pools` are the pools' ids by the names of their clusters. */
export function routesOf(
  config: XmlElement,
  pools: ReadonlyMap<string, string>,
  warn: Warn,
  origins: Origins,
): RouteContents[] {
  const hosts = hostGroupsOf(config, warn)
  const uris = uriGroupsOf(config, warn)
  const elements = config.children.filter(({ name }) => name === 'Route')
  if (elements.length === 0) warn(config.place, 'there is no Route: every request will be answered 404')
  return elements.flatMap((element) => {
    const attributes = new Attributes(element, warn)
    const pool = poolOf(attributes, pools)
    const host = membersOf(attributes, 'VirtualHostGroup', hosts)
    const path = membersOf(attributes, 'UriGroup', uris)
    if (pool === undefined || host === undefined || path === undefined) return []
    const route = { ...(isAll(host, '*') ? {} : { host }), ...(isAll(path, '/*') ? {} : { path }), pool }
    origins.set(route, element.place)
    return [route]
  })
}

function poolOf(attributes: Attributes, pools: ReadonlyMap<string, string>): string | undefined {
  const key = attributes.text('ServerGroup') === undefined ? 'ServerCluster' : 'ServerGroup'
  const name = attributes.text(key)
  const pool = name === undefined ? undefined : pools.get(name)
  if (pool === undefined) attributes.warn(key, name === undefined ? `is missing; ${neverMatches}` : missing(name))
  return pool
}

/** The members of the group that the Route names: everything if it names none; undefined, with a warning, if that can never match. */
function membersOf<Member>(
  attributes: Attributes,
  key: string,
  groups: Groups<Member>,
): readonly Member[] | 'all' | undefined {
  const name = attributes.text(key)
  if (name === undefined) return 'all'
  const members = groups.get(name)
  if (members === undefined) attributes.warn(key, missing(name))
  else if (members.length > 0) return members
  else attributes.warn(key, `names ${name}, which is empty; ${neverMatches}`)
  return undefined
}

const neverMatches = 'this Route never matches and was left out'

function missing(name: string): string {
  return `names ${name}, which is not there; ${neverMatches}`
}

function isAll(members: readonly unknown[] | 'all', everything: string): members is 'all' {
  return members === 'all' || (members.length === 1 && members[0] === everything)
}
