import { availableParallelism, hostname } from 'node:os'

import { usualShards } from '@sticky/store'

import type { BackendTlsConfig, Config, ListenConfig, PoolConfig, RouteConfig } from './config.ts'
import { defaults } from './defaults.ts'
import type { FileContents, ListenContents } from './file-schema.ts'
import type { PoolContents } from './pool-schema.ts'

/** The configuration that a valid file's contents stand for. */
export function assemble(contents: FileContents): Config {
  const { admin, node, store, pools, routes } = contents
  return {
    ...contents,
    listen: contents.listen.map(listener),
    admin: admin === false ? undefined : admin,
    node: { id: node.id ?? ownName(), workers: node.workers ?? usualWorkers(store.url) },
    store: { ...store, shards: store.shards ?? usualShards(store.url) },
    pools: Object.entries(pools).map(([id, pool]) => poolOf(id, pool)),
    routes: routes ?? everythingTo(Object.keys(pools)),
  }
}

function listener({ address, proxyProtocol, from, tls }: ListenContents): ListenConfig {
  return { address, proxyProtocolFrom: proxyProtocol ? from : undefined, tls }
}

function poolOf(id: string, pool: PoolContents): PoolConfig {
  const backends = pool.backends.map((backend) => ({ ...backend, tls: backendTls(backend.tls, pool.tls) }))
  return { id, ...pool, backends }
}

/** A certificate and its key are one thing. */
function backendTls(own: BackendTlsConfig, usual: BackendTlsConfig): BackendTlsConfig {
  const { cert, key } = own.cert === undefined ? usual : own
  return {
    ca: own.ca ?? usual.ca,
    cert,
    key,
    serverName: own.serverName ?? usual.serverName,
    insecure: own.insecure ?? usual.insecure,
  }
}

function everythingTo(pools: readonly string[]): RouteConfig[] {
  return pools.map((pool) => ({
    host: undefined,
    path: undefined,
    pattern: undefined,
    pool,
    backends: undefined,
    whenDrained: defaults.whenDrained,
  }))
}

/** The host's name, as far as it can stand in keys. */
function ownName(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .slice(0, 64) || 'node'
  )
}

function usualWorkers(store: string): number {
  return store === 'memory:' ? 1 : availableParallelism()
}
