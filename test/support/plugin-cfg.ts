/** A Server of a cluster, at the application's port. */
export interface XmlServer {
  readonly name: string
  readonly port: number
  readonly clone?: string
  readonly attributes?: string
}

/** A cluster that serves `NAME.example`, whatever its port. */
export interface XmlCluster {
  readonly name: string
  readonly attributes?: string
  readonly servers: readonly XmlServer[]
  /** PrimaryServers, BackupServers, ClusterAddress. */
  readonly more?: string
}

/** One Server element, or another of its kind. */
export function serverXml({ name, port, clone, attributes = '' }: XmlServer, element = 'Server'): string {
  const cloneId = clone === undefined ? '' : `CloneID="${clone}"`
  return `<${element} Name="${name}" ${cloneId} ${attributes}><Transport Hostname="127.0.0.1" Port="${port}" Protocol="http"/></${element}>`
}

/** A list of servers by name. */
export function listXml(element: 'PrimaryServers' | 'BackupServers', names: readonly string[]): string {
  return `<${element}>${names.map((name) => `<Server Name="${name}"/>`).join('')}</${element}>`
}

/** A whole plugin-cfg.xml, with `more` at its end. */
export function configXml(clusters: readonly XmlCluster[], more = '', attributes = ''): string {
  return `<?xml version="1.0"?>\n<Config ${attributes}>\n${clusters.map(clusterXml).join('\n')}\n${more}\n</Config>\n`
}

function clusterXml({ name, attributes = '', servers, more = '' }: XmlCluster): string {
  return `
<ServerCluster Name="${name}" ${attributes}>${servers.map((server) => serverXml(server)).join('\n')}${more}</ServerCluster>
<VirtualHostGroup Name="${name}_host"><VirtualHost Name="${name}.example:*"/></VirtualHostGroup>
<Route ServerCluster="${name}" VirtualHostGroup="${name}_host"/>`
}
