import { Flaw } from '../flaw.ts'
import { parseCloneId } from '../names.ts'
import { Attributes } from './attributes.ts'
import { nameOf, originOf } from './transport.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** A Server of a cluster, or its ClusterAddress, as far as it can be run. */
export interface PluginServer {
  readonly element: XmlElement
  readonly name: string
  readonly url: string
  readonly cloneIds: readonly string[]
  readonly weight: number | undefined
  /** In seconds; 0: no limit. */
  readonly connect: number
  readonly response: number
  /** ServerIOTimeout's sign: is a server that took too long marked down? */
  readonly ejects: boolean
  readonly maxConnections: number | undefined
}

// What no timer of ours outlasts.
const LONGEST = 24 * 24 * 60 * 60

/** Reads a Server; undefined, with a warning, when nothing can reach it. */
export function readServer(element: XmlElement, warn: Warn): PluginServer | undefined {
  const url = originOf(element, warn)
  if (url === undefined) return undefined
  const attributes = new Attributes(element, warn)
  const name = attributes.text('Name')
  if (name === undefined) attributes.warn('Name', `is missing; it is called ${element.name}`)
  const response = attributes.whole('ServerIOTimeout', 900, -LONGEST, LONGEST)
  return {
    element,
    name: name ?? element.name,
    url,
    cloneIds: cloneIdsOf(attributes),
    weight:
      attributes.text('LoadBalanceWeight') === undefined
        ? undefined
        : attributes.whole('LoadBalanceWeight', 2, 0, 1000),
    connect: attributes.whole('ConnectTimeout', 5, 0, LONGEST),
    response: Math.abs(response),
    ejects: response < 0,
    maxConnections: maxConnectionsOf(attributes),
  }
}

/** Reads the Servers of a cluster. */
export function readServers(cluster: XmlElement, warn: Warn): PluginServer[] {
  const elements = cluster.children.filter(({ name }) => name === 'Server')
  const servers = elements.flatMap((element) => readServer(element, warn) ?? [])
  return withoutDoubleAddresses(withoutDoubleCloneIds(servers, warn), warn)
}

function cloneIdsOf(attributes: Attributes): string[] {
  const text = attributes.text('CloneID')
  const parsed = text === undefined ? undefined : parseCloneId(text)
  if (!(parsed instanceof Flaw)) return parsed === undefined ? [] : [parsed]
  attributes.warn('CloneID', `${parsed.problem}; the server has no affinity`)
  return []
}

function maxConnectionsOf(attributes: Attributes): number | undefined {
  const most = attributes.whole('MaxConnections', -1, -1, 1_000_000)
  return most > 0 ? most : undefined
}

/** Of two with one clone id the first has it. */
function withoutDoubleCloneIds(servers: readonly PluginServer[], warn: Warn): PluginServer[] {
  const owners = new Map<string, PluginServer>()
  return servers.map((server) => {
    const [cloneId] = server.cloneIds
    const owner = cloneId === undefined ? undefined : owners.get(cloneId)
    if (cloneId !== undefined && owner === undefined) owners.set(cloneId, server)
    if (owner === undefined) return server
    const { element } = server
    const place = element.attributes.get('CloneID')!.place
    warn(place, `CloneID ${cloneId} belongs to ${nameOf(owner.element)} already: ${nameOf(element)} has no affinity`)
    return { ...server, cloneIds: [] }
  })
}

/** Two at one address are one, with the clone ids of both. */
function withoutDoubleAddresses(servers: readonly PluginServer[], warn: Warn): PluginServer[] {
  const kept: PluginServer[] = []
  for (const server of servers) {
    const index = kept.findIndex(({ url }) => url === server.url)
    const same = kept[index]
    if (same === undefined) {
      kept.push(server)
      continue
    }
    warn(server.element.place, `${nameOf(server.element)} has the address of ${nameOf(same.element)}: they became one`)
    kept[index] = { ...same, cloneIds: [...same.cloneIds, ...server.cloneIds] }
  }
  return kept
}
