import * as z from 'zod'

import type { Address, AdminConfig, Config, KeyPairConfig, RouteConfig, StoreConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { idPattern } from './names.ts'
import { type PoolContents, poolSchema } from './pool-schema.ts'
import { routeSchema } from './route-schema.ts'
import { flag, list, map, oneOf, optional, whole } from './schema-shapes.ts'
import { address, adminAddress, cidrs, duration, id, pemFile, secret, size, storeUrl, token } from './schema-values.ts'

/** A file's contents, each value parsed and defaulted, before they are put together. */
export interface FileContents extends Omit<Config, 'listen' | 'admin' | 'node' | 'store' | 'pools' | 'routes'> {
  readonly listen: readonly ListenContents[]
  readonly admin: AdminConfig | false
  readonly node: { readonly id: string | undefined; readonly workers: number | undefined }
  readonly store: Omit<StoreConfig, 'shards'> & { readonly shards: number | undefined }
  readonly pools: Readonly<Record<string, PoolContents>>
  readonly routes: readonly RouteConfig[] | undefined
}

/** A listener as the file has it. */
export interface ListenContents {
  readonly address: Address
  readonly proxyProtocol: boolean
  readonly from: readonly string[] | undefined
  readonly tls: readonly KeyPairConfig[]
}

const keyPair = map({
  cert: pemFile.describe('A PEM file with the certificate, then those that lead from it to an authority.'),
  key: pemFile.describe('A PEM file with its private key, without a passphrase.'),
})

const listener = map({
  address: address.describe('`host:port`, `"[::1]:port"`, or `:port` for every interface. Port 0: whatever is free.'),
  proxyProtocol: flag()
    .prefault(false)
    .describe('Demand PROXY protocol v1 or v2, by which a TCP balancer in front tells the client’s address.'),
  from: optional(cidrs).describe(
    'The ranges of those balancers; nobody else may connect then. Goes with `proxyProtocol: true`.',
  ),
  tls: list(keyPair, 'must be a list such as [{ cert: shop.pem, key: shop.key }]')
    .prefault([])
    .describe(
      'Certificates by which clients are spoken to over TLS: the one that has the name the client asks for, else the first. Files are read again when they change. `[]`: in clear.',
    ),
})

const admin = map({
  address: adminAddress.describe('`host:port`, or a socket: `unix:/run/sticky.sock`.'),
  token: optional(token).describe(
    'The bearer token that clients must show. Needed unless the address is loopback or a socket.',
  ),
})

const node = map({
  id: optional(id).describe('This node’s name. By default the host name.'),
  workers: optional(whole(1, 1024)).describe(
    'Processes that serve traffic. By default one per core, or 1 with `memory:`.',
  ),
})

const store = map({
  url: storeUrl
    .prefault(defaults.store.url)
    .describe(
      '`redis://[user:password@]host[:port][/db]`, `redis+sentinel://[user:password@]host[:port],…/master[/db]`, `redis+cluster://[user:password@]host[:port],…` (`rediss` for TLS), or `memory:` for a single process.',
    ),
  budget: duration
    .prefault(defaults.store.budget)
    .describe(
      'The longest wait of a request for the store, whatever it asks there in turn: then it goes on by cookies and by what its worker knows. When a single answer takes so long, nobody waits until the store answers a probe in this time. Give a Redis that is far away more: a request may ask it three times.',
    ),
  commandTimeout: duration
    .prefault(defaults.store.commandTimeout)
    .describe('The same where no request waits: heartbeats, sweeping, and what operators ask.'),
  lease: duration
    .prefault(defaults.store.lease)
    .describe('After this silence a node counts as dead and its exchanges in flight are no longer counted.'),
  heartbeat: duration.prefault(defaults.store.heartbeat).describe('How often a node tells that it lives.'),
  prefix: id
    .prefault(defaults.store.prefix)
    .describe('What all key names begin with: systems of different prefixes share a Redis.'),
  shards: optional(whole(1, 1024)).describe(
    'Parts of a new pool’s session table. The store remembers what a pool began with. By default 1, or 16 in a Redis Cluster, whose masters share them.',
  ),
})

const limit = defaults.timeouts
const timeouts = map({
  head: duration.prefault(limit.head).describe('For a request’s head, from its first byte.'),
  idle: duration.prefault(limit.idle).describe('Between two requests of a client’s connection.'),
  body: duration.prefault(limit.body).describe('Between two pieces of a request’s body.'),
  write: duration
    .prefault(limit.write)
    .describe('For the other side, client or backend, to take what waits to be sent to it.'),
  connect: duration.prefault(limit.connect).describe('For a connection to a backend.'),
  response: duration
    .prefault(limit.response)
    .describe('For a backend’s head, once it has the whole request. Between pieces of a body it may be silent.'),
  backendIdle: duration
    .prefault(limit.backendIdle)
    .describe('An idle connection to a backend is closed after this. Keep it below the backend’s own time.'),
  tunnel: duration
    .prefault(limit.tunnel)
    .describe('A WebSocket or other tunnel in which nothing moves is closed after this.'),
})

const limits = map({
  head: size.prefault(defaults.limits.head).describe('Bytes of a request’s head, its first line included.'),
  fields: whole(1, 1000).prefault(defaults.limits.fields).describe('Header fields of a request.'),
  target: size.prefault(defaults.limits.target).describe('Bytes of a request target.'),
  body: optional(size).describe('Bytes of a request’s body. No limit by default.'),
  connections: optional(whole(1, 10_000_000)).describe(
    'Open client connections of a node; each worker takes an equal share. By default as many as its descriptors allow.',
  ),
  connectionsPerClient: optional(whole(1, 10_000_000)).describe(
    'Open connections of one client address in each worker; IPv6 addresses of one /64 are one, and `trustedProxies` have no limit. No limit by default.',
  ),
  minRate: whole(0, 1_000_000_000)
    .prefault(defaults.limits.minRate)
    .describe(
      'Bytes per second that a client must send of a body, over `timeouts.body`, or take of an answer that waits for it, over `timeouts.write`; 0: any.',
    ),
})

const drain = map({
  grace: duration
    .prefault(defaults.drain.grace)
    .describe(
      'How long a node that was told to end still accepts connections and reads idle ones, while `/readyz` says 503 and every answer `Connection: close`: time for balancers to hear of it. No longer than four fifths of `shutdownTimeout`, so that who comes last is answered; none after SIGINT.',
    ),
})

/** The whole file. */
export const fileSchema: z.ZodType<FileContents> = map({
  listen: list(listener, 'must be a list such as [{ address: 127.0.0.1:8080 }]', 1)
    .prefault([...defaults.listen])
    .describe('Where clients connect.'),
  admin: z
    .union([admin, z.literal(false)], { error: 'must be a map such as { address: 127.0.0.1:9901 }, or false' })
    .prefault(defaults.admin)
    .describe('The admin API, with `/metrics`, `/healthz` and `/readyz`; `false`: none.'),
  node: node.prefault({}).describe('What differs from node to node.'),
  store: store.prefault({}).describe('Where sessions and load are kept. Nodes that share a store are one system.'),
  secrets: list(secret, 'must be a list of secrets')
    .prefault([])
    .describe(
      'What our cookies are sealed with, the newest first; older ones still open. By default the cluster makes one and shares it through the store.',
    ),
  accessLog: flag().prefault(defaults.accessLog).describe('One JSON line per exchange on stdout.'),
  timeouts: timeouts.prefault({}).describe('How long each step may take.'),
  limits: limits
    .prefault({})
    .describe('How large requests may be, how many connections there are, and how slow clients.'),
  shutdownTimeout: duration
    .prefault(defaults.shutdownTimeout)
    .describe('How long exchanges in flight may go on after SIGTERM.'),
  drain: drain.prefault({}).describe('How a node ends.'),
  watch: flag()
    .prefault(defaults.watch)
    .describe('Read this file anew whenever it changes, as SIGHUP and `sticky-cli reload` do.'),
  trustedProxies: cidrs.prefault([]).describe('Ranges whose `X-Forwarded-*` fields and `X-Request-Id` are believed.'),
  pools: z
    .record(z.string(), poolSchema, {
      error: 'must be a map of pools, each a list of backends under an id of your choice',
    })
    .meta({ propertyNames: { type: 'string', pattern: idPattern.source } })
    .describe('Sets of backends that serve one application, by id.'),
  routes: optional(list(routeSchema, 'must be a list of routes such as { path: /*, pool: shop }')).describe(
    'Which pool serves a request: of those that match, the one that `routeMatch` says. With a single pool: everything to it.',
  ),
  routeMatch: oneOf(['first', 'bottom-up', 'best'])
    .prefault(defaults.routeMatch)
    .describe(
      'Which route counts of several that match: the `first` written; `bottom-up`: the last; `best`: that with the most literal characters in its path, then the most specific host, then the first.',
    ),
  vhostPort: oneOf(['host-header', 'listener'])
    .prefault(defaults.vhostPort)
    .describe(
      'Which port the ports of routes mean: that of the Host field (80 where it has none, 443 over TLS), or that which the client connected to.',
    ),
  fallback: optional(id).describe('The pool that serves what no route matches. By default nobody does: 404.'),
})
