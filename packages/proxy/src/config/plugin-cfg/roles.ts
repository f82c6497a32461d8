import { Attributes } from './attributes.ts'
import type { PluginServer } from './server.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** What a server is in its cluster; a rest is defined but in neither list, and gets no newcomers. */
export interface Role {
  readonly server: PluginServer
  readonly role: 'primary' | 'rest' | 'backup'
}

/** The servers with their roles: primaries and the rest as they are defined, then backups as they are listed. */
export function rolesOf(cluster: XmlElement, servers: readonly PluginServer[], warn: Warn): Role[] {
  const primaries = primariesOf(cluster, servers, warn)
  const backups = listed('BackupServers', cluster, servers, warn) ?? []
  const backupOnly = backups.filter((server) => !primaries?.includes(server))
  const others = servers.filter((server) => !backupOnly.includes(server))
  return [
    ...others.map((server): Role => ({ server, role: primaries?.includes(server) === false ? 'rest' : 'primary' })),
    ...backupOnly.map((server): Role => ({ server, role: 'backup' })),
  ]
}

/** Undefined: all are. */
function primariesOf(cluster: XmlElement, servers: readonly PluginServer[], warn: Warn): PluginServer[] | undefined {
  const primaries = listed('PrimaryServers', cluster, servers, warn)
  if (primaries?.length !== 0 || servers.length === 0) return primaries
  const { place } = cluster.children.find(({ name }) => name === 'PrimaryServers')!
  warn(place, 'PrimaryServers names no Server that can be used: all that are no backups are taken as primary')
  return undefined
}

/** Undefined: there is no such list. */
function listed(
  list: 'PrimaryServers' | 'BackupServers',
  cluster: XmlElement,
  servers: readonly PluginServer[],
  warn: Warn,
): PluginServer[] | undefined {
  const lists = cluster.children.filter(({ name }) => name === list)
  if (lists.length === 0) return undefined
  const references = lists.flatMap(({ children }) => children.filter(({ name }) => name === 'Server'))
  const named = references.flatMap((reference) => {
    const name = new Attributes(reference, warn).text('Name')
    const server = servers.find((candidate) => candidate.name === name)
    if (server === undefined)
      warn(reference.place, `${list} names ${name ?? 'nobody'}, which is no Server of this cluster that can be used`)
    return server ?? []
  })
  return [...new Set(named)]
}
