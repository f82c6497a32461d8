/** Host and port of a server, a sentinel or a node of a cluster. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** What all servers behind a URL are asked with. */
export interface RedisAccess {
  readonly tls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
}

/** A master that sentinels watch. */
export interface SentinelTarget extends RedisAccess {
  readonly kind: 'sentinel'
  readonly sentinels: readonly RedisAddress[]
  readonly master: string
  readonly database: number
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
}

/** A Redis Cluster, by some of its nodes. */
export interface ClusterTarget extends RedisAccess {
  readonly kind: 'cluster'
  readonly nodes: readonly RedisAddress[]
}

/** What a store URL names. */
export type RedisTarget = { readonly kind: 'server'; readonly url: string } | SentinelTarget | ClusterTarget

const sentinelPort = 26379
const clusterPort = 6379

/** Reads a store's URL of any kind but `memory:`; throws a `TypeError` that says what it must be like. */
export function parseRedisUrl(url: string): RedisTarget {
  if (/^rediss?:\/\//i.test(url)) return parseServer(url)
  // Lettuce and Spring write redis-sentinel, others redis+sentinel.
  const parts = /^(rediss?)[+-](sentinel|cluster):\/\/(?:([^/]*)@)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(url)
  if (!parts) throw new TypeError('must begin with redis://, redis+sentinel:// or redis+cluster:// (rediss for TLS)')
  const [, scheme, kind, userInfo, hosts = '', path = '', query = '', fragment = ''] = parts
  const access = { tls: scheme!.toLowerCase() === 'rediss', ...parseUserInfo(userInfo) }
  if (kind!.toLowerCase() === 'cluster') return { ...parseCluster(hosts, path, query + fragment), ...access }
  return { ...parseSentinel(hosts, path, query, fragment), ...access }
}

/** The shards that a new pool gets: a cluster gains from several, for its masters share them. */
export function usualShards(url: string): number {
  return /^rediss?[+-]cluster:/i.test(url) ? 16 : 1
}

/** The URL of one server. */
export function urlOf({ host, port }: RedisAddress, { tls, username = '', password = '' }: RedisAccess): string {
  const user = username || password ? `${encodeURIComponent(username)}:${encodeURIComponent(password)}@` : ''
  return `${tls ? 'rediss' : 'redis'}://${user}${host.includes(':') ? `[${host}]` : host}:${port}`
}

function parseServer(url: string): RedisTarget {
  const parsed = URL.parse(url)
  if (!parsed?.hostname) throw new TypeError('must name a host, as in redis://127.0.0.1:6379')
  parseDatabase(parsed.pathname.slice(1), 'redis://127.0.0.1:6379/2')
  return { kind: 'server', url }
}

function parseCluster(hosts: string, path: string, rest: string) {
  if (rest !== '') throw new TypeError('must be without options, as in redis+cluster://10.0.0.1:6379,10.0.0.2:6379')
  if (!/^\/?0?$/.test(path)) throw new TypeError('must be without a database: a Redis Cluster has number 0 alone')
  return { kind: 'cluster', nodes: parseAddresses(hosts, clusterPort) } as const
}

const sentinelExample = 'redis+sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster'

/** The master stands in the path, before the database, or as Lettuce has it behind `#`, and the path is the database. */
function parseSentinel(hosts: string, path: string, query: string, fragment: string) {
  const segments = path.split('/').slice(1)
  const named = fragment === '' ? segments.shift() : fragment.slice(1)
  const master = decoded(named ?? '')
  if (!/^[\w.-]+$/.test(master)) throw new TypeError(`must name the master, as in ${sentinelExample}`)
  if (segments.length > 1) throw new TypeError(`must end with master and database, as in ${sentinelExample}/2`)
  const database = parseDatabase(segments[0] ?? '', `${sentinelExample}/2`)
  return {
    kind: 'sentinel',
    sentinels: parseAddresses(hosts, sentinelPort),
    master,
    database,
    ...parseOptions(query),
  } as const
}

function parseOptions(query: string) {
  const options = new URLSearchParams(query)
  const unknown = [...options.keys()].find((name) => name !== 'sentinelUsername' && name !== 'sentinelPassword')
  if (unknown !== undefined) {
    throw new TypeError(`has an unknown option ${unknown}: there are sentinelUsername and sentinelPassword`)
  }
  return {
    sentinelUsername: options.get('sentinelUsername') ?? undefined,
    sentinelPassword: options.get('sentinelPassword') ?? undefined,
  }
}

function parseDatabase(text: string, example: string): number {
  if (!/^\d{0,5}$/.test(text)) throw new TypeError(`must name the database by number, as in ${example}`)
  return Number(text)
}

function parseUserInfo(text: string | undefined): { username: string | undefined; password: string | undefined } {
  if (text === undefined) return { username: undefined, password: undefined }
  const colon = text.indexOf(':')
  // Some clients take a lone text for the user, others for the password.
  if (colon === -1) throw new TypeError('must have user:password@ before the hosts, or :password@ for the default user')
  return { username: decoded(text.slice(0, colon)) || undefined, password: decoded(text.slice(colon + 1)) || undefined }
}

function parseAddresses(text: string, defaultPort: number): readonly RedisAddress[] {
  return text.split(',').map((address) => parseAddress(address.trim(), defaultPort))
}

function parseAddress(text: string, defaultPort: number): RedisAddress {
  const [, bracketed, name, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text) ?? []
  const host = bracketed ?? name
  const port = digits === undefined ? defaultPort : Number(digits)
  if (host === undefined || port < 1 || port > 65535) {
    // What stands there may be part of a password.
    throw new TypeError(`must list hosts and ports, such as 10.0.0.1:${defaultPort},10.0.0.2:${defaultPort}`)
  }
  return { host, port }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError('must have % only as in %40, which stands for @')
  }
}
