import type {
  BackendConfig,
  BackendTlsConfig,
  KeySource,
  PersistenceKeyConfig,
  PoolConfig,
  RouteConfig,
} from './config.ts'

const noTls: BackendTlsConfig = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  serverName: undefined,
  insecure: undefined,
}

/** A backend as a file that says only its id has it. */
export function backendConfig(id: string, parts: Partial<BackendConfig> = {}): BackendConfig {
  const timeouts = { connect: undefined, response: undefined }
  return {
    id,
    url: `http://${id}.example`,
    weight: 1,
    cloneIds: [id],
    backup: false,
    maxConnections: undefined,
    timeouts,
    tls: noTls,
    healthCheck: { path: undefined, port: undefined },
    instance: id,
    prefix: undefined,
    ...parts,
  }
}

/** A pool of these backends, in turn and without affinity. */
export function poolConfig(
  id: string,
  backends: readonly BackendConfig[],
  parts: Partial<PoolConfig> = {},
): PoolConfig {
  return {
    id,
    backends,
    balance: 'roundRobin',
    affinity: [],
    hostHeader: 'preserve',
    countsKnown: false,
    ejection: { failures: 3, for: 5_000, longest: 60_000, mostShare: 0.5, statuses: [] },
    healthCheck: undefined,
    panicBelow: 0,
    slowStart: undefined,
    onUnavailable: 'rebind',
    movedHeader: undefined,
    queue: undefined,
    retry: { attempts: 2, budget: 0.2, minPerSecond: 3 },
    timeouts: { connect: undefined, response: undefined, ejects: false },
    tls: noTls,
    maxBody: undefined,
    replayBody: 0,
    removeHeaders: [],
    ...parts,
  }
}

/** A route that asks nothing of requests. */
export function routeConfig(pool: string, parts: Partial<RouteConfig> = {}): RouteConfig {
  return {
    host: undefined,
    path: undefined,
    pattern: undefined,
    pool,
    backends: undefined,
    whenDrained: 'refuse',
    ...parts,
  }
}

/** A persistence-key strategy as a file that says nothing but its name has it, by the cookie JSESSIONID. */
export function persistenceKeyConfig(parts: Partial<PersistenceKeyConfig> = {}): PersistenceKeyConfig {
  return {
    strategy: 'persistence-key',
    from: [cookieSource('JSESSIONID')],
    age: 300_000,
    lifetime: undefined,
    endOn: [],
    whenGone: 'rebind',
    maxSkew: undefined,
    share: undefined,
    newPerClient: { count: 600, per: 60_000 },
    maxSessions: 1_000_000,
    backup: undefined,
    ...parts,
  }
}

/** A cookie that the application sets. */
export function cookieSource(cookie: string): KeySource {
  return { cookie, learn: 'response' }
}
