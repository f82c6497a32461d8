import { Attributes } from './attributes.ts'
import type { BackendContents, Origins, TimeoutContents } from './contents.ts'
import { Ids } from './names.ts'
import { type Role, rolesOf } from './roles.ts'
import { type PluginServer, readServer, readServers } from './server.ts'
import { nameOf } from './transport.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** The backends of a cluster, and what all of them have in common. */
export interface ClusterBackends {
  readonly backends: readonly BackendContents[]
  readonly timeouts: TimeoutContents & { readonly ejects?: true }
}

/** Makes backends of a cluster's servers; `weighs` tells whether its balancing heeds weights. */
export function backendsOf(cluster: XmlElement, weighs: boolean, warn: Warn, origins: Origins): ClusterBackends {
  const members = rolesOf(cluster, readServers(cluster, warn), warn)
  const address = addressOf(cluster, members, warn)
  const all = [...members.map(({ server }) => server), ...(address ? [address] : [])]
  const usual = { connect: secondsOf(commonest(all, 'connect')), response: secondsOf(commonest(all, 'response')) }
  const ids = new Ids()
  const contents = (server: PluginServer, parts: Partial<BackendContents>) => {
    const { url, cloneIds, maxConnections } = server
    const timeouts = differing(server, usual)
    const backend: BackendContents = {
      id: ids.of(server.name),
      url,
      cloneIds,
      ...parts,
      ...(maxConnections === undefined ? {} : { maxConnections }),
      ...(timeouts === undefined ? {} : { timeouts }),
    }
    origins.set(backend, server.element.place)
    return backend
  }
  const share = address ? () => ({ weight: 0 }) : shares(members, weighs)
  const backends = [
    ...members.map((member) => contents(member.server, share(member))),
    ...(address ? [contents({ ...address, cloneIds: [] }, { weight: 1 })] : []),
  ]
  const ejects = ejectsOf(cluster, all, warn)
  return { backends, timeouts: { ...defined(usual), ...(ejects ? { ejects } : {}) } }
}

/** The balancer in front of the cluster, which gets all newcomers. */
function addressOf(cluster: XmlElement, members: readonly Role[], warn: Warn): PluginServer | undefined {
  const [element, second] = cluster.children.filter(({ name }) => name === 'ClusterAddress')
  if (second) warn(second.place, 'a second ClusterAddress was ignored')
  const address = element && readServer(element, warn)
  const same = address && members.find(({ server }) => server.url === address.url)
  if (!same) return address
  warn(element!.place, `the ClusterAddress is that of Server ${same.server.name}: it was left out`)
  return undefined
}

/** What a member gets of the newcomers. */
function shares(members: readonly Role[], weighs: boolean): (member: Role) => Partial<BackendContents> {
  const anyWeight = weighs && members.some(({ server }) => server.weight !== undefined)
  return ({ role, server }) => {
    if (role === 'rest') return { weight: 0 }
    // A backup takes what comes, whatever its weight.
    if (role === 'backup') return { backup: true }
    return anyWeight ? { weight: server.weight ?? 2 } : {}
  }
}

function ejectsOf(cluster: XmlElement, servers: readonly PluginServer[], warn: Warn): true | undefined {
  const ejecting = servers.filter(({ ejects }) => ejects)
  const other = servers.find(({ ejects, response }) => !ejects && response > 0)
  if (ejecting.length > 0 && other)
    new Attributes(other.element, warn).warn(
      'ServerIOTimeout',
      `is positive, others of ${nameOf(cluster)} are negative; all are taken so`,
    )
  return ejecting.length > 0 || undefined
}

function commonest(servers: readonly PluginServer[], key: 'connect' | 'response'): number {
  const counts = new Map<number, number>()
  for (const server of servers) counts.set(server[key], (counts.get(server[key]) ?? 0) + 1)
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best), [0, 0])[0]
}

function differing(server: PluginServer, usual: TimeoutContents): TimeoutContents | undefined {
  const own = { connect: secondsOf(server.connect), response: secondsOf(server.response) }
  const different = {
    connect: own.connect === usual.connect ? undefined : own.connect,
    response: own.response === usual.response ? undefined : own.response,
  }
  return (different.connect ?? different.response) ? defined(different) : undefined
}

function defined({
  connect,
  response,
}: {
  connect: string | undefined
  response: string | undefined
}): TimeoutContents {
  return { ...(connect === undefined ? {} : { connect }), ...(response === undefined ? {} : { response }) }
}

/** 0 is no limit there; no wait of ours is without one. */
function secondsOf(seconds: number): string {
  return seconds === 0 ? '24d' : `${seconds}s`
}
