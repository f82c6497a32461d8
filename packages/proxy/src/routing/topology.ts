import { isDeepStrictEqual } from 'node:util'

import type { Milliseconds, Store } from '@sticky/store'

import type { Fingerprints } from '../affinity/fingerprint.ts'
import type { Keyring } from '../affinity/keyring.ts'
import { createStrategy } from '../affinity/registry.ts'
import type { ScriptHosts } from '../affinity/script-service.ts'
import type { SessionRefusal } from '../affinity/session-quota.ts'
import type { AffinityStrategy } from '../affinity/strategy.ts'
import { type Balancer, createBalancer } from '../balancing/balancer.ts'
import { localChoice } from '../balancing/local-choice.ts'
import { type PolicyFactory, policies } from '../balancing/policies.ts'
import { Queue } from '../balancing/queue.ts'
import { RetryBudget } from '../balancing/retry-budget.ts'
import { heedingLimits } from '../balancing/room.ts'
import type {
  BackendConfig,
  BalanceName,
  Config,
  PemFiles,
  PemTexts,
  PoolConfig,
  RouteConfig,
} from '../config/config.ts'
import type { Backend, BackendHealth } from '../upstream/backend.ts'
import { FieldPatterns } from '../wire/field-patterns.ts'
import { MovedField } from '../wire/moved-field.ts'
import { type RouteTable, type Rule, routeTable } from './route-table.ts'

/** A set of backends that serve one application, with how its sessions are recognised and how newcomers are placed. */
export interface Pool {
  readonly id: string
  /** What it is made of. */
  readonly config: PoolConfig
  readonly backends: readonly Backend[]
  readonly byId: ReadonlyMap<string, Backend>
  /** Since when it has these backends and no others, in store time. */
  readonly since: Milliseconds
  readonly strategy: AffinityStrategy
  readonly balancer: Balancer
  /** One that places newcomers on these of its backends alone. */
  readonly balancerAmong: (backends: readonly Backend[]) => Balancer
  readonly hostHeader: 'preserve' | 'backend'
  /** Bytes of a request's body. */
  readonly maxBody: number
  /** Bytes of a body up to which it is kept, to be sent to a second backend. */
  readonly replayBody: number
  /** The fields of clients that backends never see; undefined: they see all. */
  readonly removed: FieldPatterns | undefined
  /** Who waits for room, where the configuration lets anybody wait. */
  readonly queue: Queue
  readonly retries: RetryBudget
  /** Tells backends of sessions that come from elsewhere; undefined: nothing does. */
  readonly moved: MovedField | undefined
}

/** Routes, pools and backends at one moment, frozen: an exchange keeps the one it began with. */
export interface Topology {
  readonly routes: RouteTable<Pool>
  readonly pools: ReadonlyMap<string, Pool>
  /** Serves what no route matches; undefined: nobody does. */
  readonly fallback: Pool | undefined
}

/** What of a configuration a topology is made of. */
export type TopologyConfig = Pick<Config, 'pools' | 'routes' | 'routeMatch' | 'vhostPort' | 'fallback'>

/** What a topology draws on. */
export interface TopologyServices {
  readonly store: Store
  readonly keyring: Keyring
  readonly fingerprints: Fingerprints
  /** Runs scripts; undefined where none are to run. */
  readonly scripts?: ScriptHosts | undefined
  /** Is told when a session of a pool may not begin. */
  readonly sessionRefused?: ((pool: string, reason: SessionRefusal) => void) | undefined
  /** What is said of a backend of that pool; asked once for each. */
  readonly health: (pool: PoolConfig, backend: BackendConfig) => BackendHealth
  /** What these files hold now; undefined where no connection is made. */
  readonly pems?: ((files: PemFiles) => PemTexts | undefined) | undefined
  /** Monotonic. */
  readonly clock: () => Milliseconds
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Instead of the policies themselves, for who wants to watch them choose. */
  readonly policies?: Readonly<Record<BalanceName, PolicyFactory>> | undefined
}

/**
 * Makes the topology of a configuration. What of the one before is made of the same is taken over as it is: pools with what their
 * strategies and policies remember, and of a pool that changed the backends that did not, whose connections are kept by that.
 */
export function buildTopology(config: TopologyConfig, services: TopologyServices, before?: Topology): Topology {
  const { fallback } = config
  const pools = new Map(config.pools.map((pool) => [pool.id, poolAfter(before?.pools.get(pool.id), pool, services)]))
  const rules = config.routes.map((route) => ruleOf(route, pools.get(route.pool)!))
  return Object.freeze({
    pools,
    routes: routeTable(rules, config),
    fallback: fallback === undefined ? undefined : pools.get(fallback),
  })
}

function ruleOf({ host, path, pattern, backends, whenDrained }: RouteConfig, to: Pool): Rule<Pool> {
  const named = backends && to.backends.filter(({ id }) => backends.includes(id))
  const among = named && { backends: named, balancer: to.balancerAmong(named) }
  return { asks: { host, path, pattern }, to, among, whenDrained }
}

function poolAfter(before: Pool | undefined, config: PoolConfig, services: TopologyServices): Pool {
  if (before === undefined) return buildPool(config, services)
  if (isDeepStrictEqual(before.config, config)) return before
  return buildPool(config, services, keptOf(before, config))
}

/** What a pool has of the one before. */
interface Kept {
  readonly unchanged: ReadonlyMap<string, Backend>
  readonly queue: Queue
  readonly retries: RetryBudget | undefined
  readonly since: Milliseconds | undefined
}

function keptOf(before: Pool, config: PoolConfig): Kept {
  const isAsThrifty = isDeepStrictEqual(before.config.retry, config.retry)
  const isOfTheSame =
    config.backends.length === before.byId.size && config.backends.every(({ id }) => before.byId.has(id))
  return {
    unchanged: unchangedBackends(before, config),
    queue: before.queue,
    retries: isAsThrifty ? before.retries : undefined,
    since: isOfTheSame ? before.since : undefined,
  }
}

/** Those that the pool had as they are; what the pool says of all its backends counts for each. */
function unchangedBackends(before: Pool, config: PoolConfig): ReadonlyMap<string, Backend> {
  if (!isDeepStrictEqual({ ...before.config, backends: [] }, { ...config, backends: [] })) return new Map()
  const same = before.config.backends.filter((had) => config.backends.some((has) => isDeepStrictEqual(had, has)))
  return new Map(same.map(({ id }) => [id, before.byId.get(id)!]))
}

function buildPool(config: PoolConfig, services: TopologyServices, kept?: Kept): Pool {
  const { store, keyring, fingerprints, clock, random } = services
  const { load, sessions } = store
  const pool = config.id
  const { countsKnown, maxBody, replayBody, removeHeaders, movedHeader, onUnavailable } = config
  const backends = Object.freeze(
    config.backends.map((each) => kept?.unchanged.get(each.id) ?? buildBackend(config, each, services)),
  )
  const byId = new Map(backends.map((backend) => [backend.id, backend]))
  const since = kept?.since ?? store.now()
  const makePolicy = (services.policies ?? policies)[config.balance]
  const chosen = makePolicy({ pool, backends, countsKnown, load, sessions, clock, random })
  const isLimited = backends.some(({ limit }) => limit !== undefined)
  const policy = isLimited && !chosen.heedsLimits ? heedingLimits(chosen, load) : chosen
  const whenAway = localChoice({ pool, load, random })
  const balancerAmong = (some: readonly Backend[]): Balancer =>
    createBalancer({ backends: some, byId, policy, whenAway, load, onUnavailable, clock })
  return Object.freeze({
    id: pool,
    config,
    backends,
    byId,
    since,
    strategy: createStrategy(config.affinity, {
      pool,
      backends: new Set(byId.keys()),
      since,
      members: config.backends,
      store,
      keyring,
      fingerprints,
      scripts: services.scripts,
      sessionRefused: (reason) => services.sessionRefused?.(pool, reason),
    }),
    balancer: balancerAmong(backends),
    balancerAmong,
    hostHeader: config.hostHeader,
    maxBody: maxBody ?? Number.POSITIVE_INFINITY,
    replayBody,
    removed: removeHeaders.length === 0 ? undefined : new FieldPatterns(removeHeaders),
    queue: kept?.queue ?? new Queue(pool, { ...services, load }),
    retries: kept?.retries ?? new RetryBudget(config.retry),
    moved: movedHeader === undefined ? undefined : new MovedField(movedHeader),
  })
}

function buildBackend(pool: PoolConfig, config: BackendConfig, services: TopologyServices): Backend {
  const health = services.health(pool, config)
  const { id, url, backup, maxConnections, timeouts } = config
  const { protocol, hostname, port, host } = new URL(url)
  const scheme = protocol === 'https:' ? 'https' : 'http'
  const defaultPort = scheme === 'https' ? 443 : 80
  return Object.freeze({
    id,
    pool: pool.id,
    get weight(): number {
      return health.share
    },
    backup,
    limit: maxConnections,
    patience: {
      connect: timeouts.connect ?? pool.timeouts.connect,
      response: timeouts.response ?? pool.timeouts.response,
      ejects: pool.timeouts.ejects,
      statuses: pool.ejection.statuses.length === 0 ? undefined : pool.ejection.statuses,
    },
    scheme,
    // node:net wants an IPv6 address without its brackets.
    hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? defaultPort : Number(port),
    authority: host,
    tls: {
      serverName: config.tls.serverName,
      verified: config.tls.insecure !== true,
      get pems(): PemTexts | undefined {
        return services.pems?.(config.tls)
      },
    },
    health,
  })
}
