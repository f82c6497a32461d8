import type { NodeRow, Store } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import { type AdminApi, apiVersion, type LoadResource, type NodeFlag, type NodeResource } from './admin-api.ts'
import { poolsOf, timestamp } from './admin-resources.ts'
import { reportsAbout, type WorkerReport } from './worker-report.ts'

/** What the operations on nodes and load draw on. */
export interface ClusterSources {
  readonly store: Store
  readonly pools: readonly PoolConfig[]
  /** This process start, as announced. */
  readonly instance: string
  /** Asks this node's workers. */
  reports(): Promise<readonly WorkerReport[]>
}

/** The part of the admin API about nodes and load. */
export function clusterOperations(sources: ClusterSources): Pick<AdminApi, 'nodes' | 'load'> {
  const { store, pools, instance } = sources
  return {
    async nodes() {
      const nodes = describeNodes(await store.cluster.nodes(), instance)
      return { apiVersion, agree: !nodes.some((node) => node.flags.includes('other-configuration')), nodes }
    },

    async load(query) {
      const reports = await sources.reports()
      const load = await Promise.all(
        poolsOf(pools, query).map(async (pool) => loadOf(pool, await store.operators.totals(pool.id), reports)),
      )
      return { apiVersion, load: load.flat() }
    },
  }
}

function loadOf(
  pool: PoolConfig,
  totals: ReadonlyMap<string, number>,
  reports: readonly WorkerReport[],
): LoadResource[] {
  const weights = new Map(pool.backends.map((backend) => [backend.id, backend.weight]))
  const ids = new Set([...weights.keys(), ...[...totals.keys()].sort()])
  return Array.from(ids, (backend) => ({
    pool: pool.id,
    backend,
    weight: weights.get(backend) ?? null,
    cluster: totals.get(backend) ?? 0,
    node: reportsAbout(reports, pool.id, backend).reduce((sum, report) => sum + report.inFlight, 0),
  }))
}

/** Flags what deserves a look, the same on every node that is asked. */
export function describeNodes(nodes: readonly NodeRow[], self: string): NodeResource[] {
  const usual = usualConfiguration(nodes)
  const ids = Map.groupBy(nodes, (node) => node.id)
  return nodes.map(({ started, lease, opens: _, ...node }) => {
    const flags: NodeFlag[] = []
    if (node.configHash !== usual) flags.push('other-configuration')
    if (ids.get(node.id)!.length > 1) flags.push('duplicate-id')
    return { ...node, self: node.instance === self, started: timestamp(started), lease: timestamp(lease), flags }
  })
}

/** What most nodes run; at a draw, what the eldest of them does. */
function usualConfiguration(nodes: readonly NodeRow[]): string | undefined {
  const eldestFirst = nodes.toSorted((one, other) => one.started - other.started)
  const groups = [...Map.groupBy(eldestFirst, (node) => node.configHash)]
  return groups.toSorted(([, one], [, other]) => other.length - one.length)[0]?.[0]
}
