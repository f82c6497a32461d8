import type { Milliseconds, Store } from '@sticky/store'

import type { Fingerprints } from '../affinity/fingerprint.ts'
import type { SessionRefusal } from '../affinity/key-quota.ts'
import type { Keyring } from '../affinity/keyring.ts'
import { createStrategy } from '../affinity/registry.ts'
import type { ScriptHosts } from '../affinity/script-service.ts'
import type { AffinityStrategy } from '../affinity/strategy.ts'
import { type Balancer, createBalancer } from '../balancing/balancer.ts'
import { type PolicyFactory, policies } from '../balancing/policies.ts'
import type { BackendConfig, BalanceName, Config, PoolConfig } from '../config/config.ts'
import type { Backend, BackendHealth } from '../upstream/backend.ts'
import { type RouteTable, routeTable } from './route-table.ts'

/** A set of backends that serve one application, with how its sessions are recognised and how newcomers are placed. */
export interface Pool {
  readonly id: string
  readonly backends: readonly Backend[]
  readonly byId: ReadonlyMap<string, Backend>
  readonly strategy: AffinityStrategy
  readonly balancer: Balancer
  readonly hostHeader: 'preserve' | 'backend'
}

/** Routes, pools and backends at one moment, frozen: an exchange keeps the one it began with. */
export interface Topology {
  readonly routes: RouteTable<Pool>
  readonly pools: ReadonlyMap<string, Pool>
}

/** What a topology draws on. */
export interface TopologyServices {
  readonly store: Store
  readonly keyring: Keyring
  readonly fingerprints: Fingerprints
  /** Runs scripts; undefined where none are to run. */
  readonly scripts?: ScriptHosts | undefined
  /** Is told when a session of a pool may not begin. */
  readonly sessionRefused?: ((pool: string, reason: SessionRefusal) => void) | undefined
  /** The verdict on a backend of a pool, by their ids; asked once for each. */
  readonly health: (pool: string, backend: string) => BackendHealth
  /** Monotonic. */
  readonly clock: () => Milliseconds
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Instead of the policies themselves, for who wants to watch them choose. */
  readonly policies?: Readonly<Record<BalanceName, PolicyFactory>> | undefined
}

/** Makes the topology of a configuration. */
export function buildTopology(
  { pools, routes }: Pick<Config, 'pools' | 'routes'>,
  services: TopologyServices,
): Topology {
  const built = new Map(pools.map((pool) => [pool.id, buildPool(pool, services)]))
  return Object.freeze({
    pools: built,
    routes: routeTable(routes.map(({ host, path, pool }) => ({ pattern: { host, path }, to: built.get(pool)! }))),
  })
}

function buildPool(config: PoolConfig, services: TopologyServices): Pool {
  const { store, keyring, fingerprints, clock, random } = services
  const { load, sessions } = store
  const pool = config.id
  const backends = Object.freeze(
    config.backends.map((each) => buildBackend(pool, each, services.health(pool, each.id))),
  )
  const byId = new Map(backends.map((backend) => [backend.id, backend]))
  const policy = (services.policies ?? policies)[config.balance]({ pool, load, sessions, clock, random })
  // A pool without affinity begins no sessions, so that it needs the store only where its policy does.
  const admits = config.affinity.length === 0 ? always : () => store.available
  return Object.freeze({
    id: pool,
    backends,
    byId,
    strategy: createStrategy(config.affinity, {
      pool,
      backends: new Set(byId.keys()),
      members: config.backends,
      store,
      keyring,
      fingerprints,
      scripts: services.scripts,
      sessionRefused: (reason) => services.sessionRefused?.(pool, reason),
    }),
    balancer: createBalancer({ backends, byId, policy, load, admits }),
    hostHeader: config.hostHeader,
  })
}

function always(): boolean {
  return true
}

function buildBackend(pool: string, { id, url, weight }: BackendConfig, health: BackendHealth): Backend {
  const { protocol, hostname, port, host } = new URL(url)
  const scheme = protocol === 'https:' ? 'https' : 'http'
  const defaultPort = scheme === 'https' ? 443 : 80
  return Object.freeze({
    id,
    pool,
    weight,
    scheme,
    // node:net wants an IPv6 address without its brackets.
    hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? defaultPort : Number(port),
    authority: host,
    health,
  })
}
