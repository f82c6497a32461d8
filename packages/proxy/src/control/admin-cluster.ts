import type { Milliseconds, NodeAnnouncement, NodeRow, Store } from '@sticky/store'

import type { PoolConfig } from '../config/config.ts'
import {
  type AdminApi,
  apiVersion,
  type LoadResource,
  type NodeFlag,
  type NodeResource,
  type Seconds,
} from './admin-api.ts'
import { poolsOf, timestamp } from './admin-resources.ts'
import { unlessAway } from './store-absence.ts'
import { reportsAbout, type WorkerReport } from './worker-report.ts'

/** What the operations on nodes and load draw on. */
export interface ClusterSources {
  readonly store: Store
  readonly pools: readonly PoolConfig[]
  /** What this node tells of itself. */
  self(): NodeAnnouncement
  /** Asks this node's workers. */
  reports(): Promise<readonly WorkerReport[]>
}

/** The part of the admin API about nodes and load. */
export function clusterOperations(sources: ClusterSources): Pick<AdminApi, 'nodes' | 'load'> {
  const { store, pools } = sources
  return {
    async nodes() {
      const self = sources.self()
      const live = await unlessAway(store.cluster.nodes())
      const nodes = describeNodes(live ?? [self], self.instance, store.now())
      const agree = !nodes.some((node) => node.flags.includes('other-configuration'))
      return { apiVersion, complete: live !== null, agree, nodes }
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

/** A node as the store has it, or as it knows itself while the store is away. */
type KnownNode = NodeAnnouncement & Partial<NodeRow>

/** Flags what deserves a look, the same on every node that is asked, at that moment of store time. */
export function describeNodes(nodes: readonly KnownNode[], self: string, now: Milliseconds): NodeResource[] {
  const usual = usualConfiguration(nodes)
  const ids = Map.groupBy(nodes, (node) => node.id)
  return nodes.map(({ started, lease, heard = now, awaySince, opens: _, ...node }) => {
    const flags: NodeFlag[] = []
    if (node.configHash !== usual) flags.push('other-configuration')
    if (ids.get(node.id)!.length > 1) flags.push('duplicate-id')
    return {
      ...{ ...node, self: node.instance === self, started: timestamp(started) },
      lease: lease === undefined ? null : timestamp(lease),
      silent: secondsFrom(heard, now),
      away: awaySince === undefined ? null : secondsFrom(awaySince, now),
      flags,
    }
  })
}

function secondsFrom(moment: Milliseconds, now: Milliseconds): Seconds {
  return Math.max(0, Math.round(now - moment)) / 1000
}

/** What most nodes run; at a draw, what the eldest of them does. */
function usualConfiguration(nodes: readonly KnownNode[]): string | undefined {
  const eldestFirst = nodes.toSorted((one, other) => one.started - other.started)
  const groups = [...Map.groupBy(eldestFirst, (node) => node.configHash)]
  return groups.toSorted(([, one], [, other]) => other.length - one.length)[0]?.[0]
}
