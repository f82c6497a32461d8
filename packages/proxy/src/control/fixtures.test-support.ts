import type { Config, PoolConfig } from '../config/config.ts'
import { backendConfig, persistenceKeyConfig, poolConfig, routeConfig } from '../config/parts.test-support.ts'
import type { ExchangeRecord } from '../traffic/exchange-record.ts'
import type { AdminApi } from './admin-api.ts'
import type { AdminSubject } from './admin-server.ts'
import type { Log } from './log.ts'

/** A pool with these backends and a session cookie. */
export function testPool(id: string, backends: readonly string[]): PoolConfig {
  return poolConfig(
    id,
    backends.map((backend) => backendConfig(backend)),
    {
      balance: 'leastLoad',
      affinity: [persistenceKeyConfig({ age: 60_000 })],
    },
  )
}

/** A configuration over the store in memory. */
export function testConfig(changes: Partial<Config> = {}): Config {
  return {
    listen: [{ address: { host: '127.0.0.1', port: 0 }, proxyProtocolFrom: undefined, tls: [] }],
    admin: { address: { host: '127.0.0.1', port: 0 }, token: undefined },
    node: { id: 'n1', workers: 1 },
    store: {
      url: 'memory:',
      budget: 50,
      commandTimeout: 1000,
      lease: 6000,
      heartbeat: 20,
      prefix: 'sticky',
      shards: 1,
    },
    secrets: [],
    accessLog: false,
    timeouts: {
      head: 5000,
      idle: 5000,
      body: 5000,
      write: 5000,
      connect: 1000,
      response: 5000,
      backendIdle: 4000,
      tunnel: 60_000,
    },
    limits: {
      head: 16_384,
      fields: 100,
      target: 8192,
      body: undefined,
      connections: undefined,
      connectionsPerClient: undefined,
      minRate: 0,
    },
    shutdownTimeout: 5000,
    drain: { grace: 1000 },
    watch: false,
    trustedProxies: [],
    pools: [testPool('shop', ['a', 'b'])],
    routes: [routeConfig('shop')],
    routeMatch: 'first',
    vhostPort: 'host-header',
    fallback: undefined,
    ...changes,
  }
}

/** An exchange with backend `a` of pool `shop` that went well. */
export function testExchange(changes: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return {
    requestId: 'r',
    client: '192.0.2.7',
    method: 'GET',
    host: 'shop.example.com',
    path: '/',
    status: 200,
    bytesSent: 0,
    bytesReceived: 0,
    started: 0,
    duration: 1,
    upstreamDuration: 1,
    route: 0,
    pool: 'shop',
    backend: 'a',
    retries: 0,
    isRetryDenied: false,
    queued: undefined,
    session: undefined,
    persistence: 'NN',
    refusal: undefined,
    tunnel: false,
    ...changes,
  }
}

/** What an admin server speaks for: a node that is ready, with such operations. */
export function adminSubject(api: Partial<AdminApi> = {}): AdminSubject {
  return {
    api: () => api as AdminApi, // A test asks only for what it gave.
    notReady: () => undefined,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    onError: () => {},
  }
}

/** An event as a log was told of it. */
export interface LoggedEvent {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly fields: object
}

/** A log that keeps what it is told. */
export function testLog(): { readonly log: Log; readonly events: LoggedEvent[] } {
  const events: LoggedEvent[] = []
  const at = (level: LoggedEvent['level']) => (fields: object, event: string) =>
    void events.push({ level, event, fields })
  return { log: { info: at('info'), warn: at('warn'), error: at('error') }, events }
}
