import type { AffinityStrategy } from '../affinity/strategy.ts'
import type { Balancer } from '../balancing/balancer.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RouteTable } from './route-table.ts'

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
