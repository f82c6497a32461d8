import type { BackendConfig, PoolConfig, RouteConfig } from './config.ts'

/** A backend as a file that says only its id has it. */
export function backendConfig(id: string, parts: Partial<BackendConfig> = {}): BackendConfig {
  return { id, url: `http://${id}.example`, weight: 1, ...parts }
}

/** A pool of these backends, in turn and without affinity. */
export function poolConfig(
  id: string,
  backends: readonly BackendConfig[],
  parts: Partial<PoolConfig> = {},
): PoolConfig {
  return { id, backends, balance: 'roundRobin', affinity: [], hostHeader: 'preserve', ...parts }
}

/** A route that asks nothing of requests. */
export function routeConfig(pool: string, parts: Partial<RouteConfig> = {}): RouteConfig {
  return { host: undefined, path: undefined, pool, ...parts }
}
