import type { Config } from '../config.ts'
import { crossCheck } from '../cross-checks.ts'
import { draftOf } from '../draft.ts'
import type { Place } from '../mistakes.ts'
import { Attributes } from './attributes.ts'
import type { Contents, Origins, PoolContents, RouteContents } from './contents.ts'
import { Ids } from './names.ts'
import { poolOf } from './pool.ts'
import { routesOf } from './routes.ts'
import { checkVocabulary } from './vocabulary.ts'
import type { Warn, Warning } from './warnings.ts'
import { readXml, type XmlElement, XmlFault } from './xml.ts'

/** A plugin-cfg.xml as the data of a YAML file. */
export interface Conversion {
  readonly contents: Contents
  /** In the file's order. */
  readonly warnings: readonly Warning[]
  readonly origins: Origins
  /** What pools are called in the XML, where that is no id. */
  readonly names: ReadonlyMap<string, string>
}

/** Converts a plugin-cfg.xml; by default a file of version 4.0 is matched bottom-up, later ones by the best match. */
export function convert(text: string, routeMatch?: string): Conversion | XmlFault {
  const config = readXml(text)
  if (config instanceof XmlFault) return config
  if (config.name !== 'Config') return new XmlFault(`must be a <Config>, got <${config.name}>`, config.place)
  const warnings: Warning[] = []
  const warn: Warn = (place, problem) => warnings.push({ place, problem })
  const origins: Origins = new Map()
  checkVocabulary(config, warn)
  const settings = settingsOf(config, warn)
  const { pools, ids, names } = poolsOf(config, warn, origins)
  const all = { ...settings, routeMatch: matchOf(routeMatch) ?? usualMatch(config), pools: Object.fromEntries(pools) }
  const routes = routesOf(config, ids, warn, origins)
  const contents = { ...all, routes: withoutUnreachable({ ...all, routes }, warn, origins) }
  warnOfUnused(contents, warn, origins)
  warnings.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
  return { contents, warnings, origins, names }
}

const matches: readonly Config['routeMatch'][] = ['first', 'best', 'bottom-up']

function matchOf(text: string | undefined): Config['routeMatch'] | undefined {
  return matches.find((match) => match === text)
}

/** Only 4.0 had ServerGroups, and walked Routes from the bottom up. */
function usualMatch(config: XmlElement): Config['routeMatch'] {
  return config.children.some(({ name }) => name === 'ServerGroup') ? 'bottom-up' : 'best'
}

function settingsOf(config: XmlElement, warn: Warn): Pick<Contents, 'vhostPort' | 'watch'> {
  const attributes = new Attributes(config, warn)
  if (attributes.text('AppServerPortPreference')?.toLowerCase() === 'webserverport')
    attributes.warn('AppServerPortPreference', 'is not heeded: applications see the port of the Host field')
  if (attributes.flag('TrustedProxyEnable', false))
    attributes.warn('TrustedProxyEnable', 'is not converted: write trustedProxies')
  if (attributes.flag('FIPSEnable', false)) attributes.warn('FIPSEnable', 'is not heeded: start Node with --force-fips')
  return {
    ...(attributes.flag('VHostMatchingCompat', false) && { vhostPort: 'listener' }),
    ...(attributes.whole('RefreshInterval', 60, -1, 2 ** 31) > 0 && { watch: true }),
  }
}

interface Pools {
  readonly pools: readonly (readonly [id: string, pool: PoolContents])[]
  /** By the names of their clusters. */
  readonly ids: ReadonlyMap<string, string>
  readonly names: ReadonlyMap<string, string>
}

function poolsOf(config: XmlElement, warn: Warn, origins: Origins): Pools {
  const given = new Ids()
  const ids = new Map<string, string>()
  const names = new Map<string, string>()
  const clusters = config.children.filter(({ name }) => name === 'ServerCluster' || name === 'ServerGroup')
  const pools = clusters.flatMap((cluster) => {
    const name = new Attributes(cluster, warn).text('Name')
    if (name === undefined || ids.has(name)) {
      const whose = name === undefined ? 'without a Name' : `${name} stands above`
      warn(cluster.place, `a ${cluster.name} ${whose}: this one was ignored`)
      return []
    }
    const pool = poolOf(cluster, warn, origins)
    if (pool === undefined) return []
    const id = given.of(name)
    ids.set(name, id)
    if (id !== name) names.set(id, name)
    return [[id, pool] as const]
  })
  return { pools, ids, names }
}

function warnOfUnused({ pools, routes }: Contents, warn: Warn, origins: Origins): void {
  for (const [id, pool] of Object.entries(pools)) {
    const used = routes.some((route) => route.pool === id)
    if (!used) warn(origins.get(pool) as Place, `no Route leads to this cluster: it gets no requests`)
  }
}

/** Routes that others stand in front of are no mistake there. */
function withoutUnreachable(contents: Contents, warn: Warn, origins: Origins): readonly RouteContents[] {
  const unreachable = new Map<RouteContents, string>()
  for (const { path, problem } of crossCheck(draftOf(contents, []))) {
    const route = path.length === 2 && path[0] === 'routes' ? contents.routes[Number(path[1])] : undefined
    if (route) unreachable.set(route, problem)
  }
  for (const route of unreachable.keys())
    warn(origins.get(route) as Place, 'this Route is never reached: others take all its requests; it was left out')
  return contents.routes.filter((route) => !unreachable.has(route))
}
