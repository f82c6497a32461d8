import type { Store } from '@sticky/store'

import type { Scripts } from '../affinity/script-service.ts'
import type { Topology } from '../routing/topology.ts'
import type { BackendState } from '../upstream/backend.ts'
import type { ExchangeMetrics } from './exchange-metrics.ts'
import type { HealthEvents } from './health-events.ts'
import type { Labels, Sample } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric, single } from './metrics.ts'
import { storeMetrics } from './store-metrics.ts'
import type { ConnectionTroubles } from './troubles.ts'
import type { BackendReport, WorkerReport } from './worker-report.ts'

/** The backends of a topology as this process sees them. */
export function backendReports(topology: Topology, store: Store): BackendReport[] {
  return [...topology.pools.values()].flatMap((pool) =>
    pool.backends.map(({ id, health }) => ({
      pool: pool.id,
      backend: id,
      inFlight: store.load.local(pool.id, id),
      state: health.state,
      canServe: health.canServe,
      takesNewcomers: health.takesNewcomers,
      weight: health.weight,
      share: health.share,
      ejected: health.ejected,
    })),
  )
}

/** How many wait in each pool that lets anybody wait. */
export function queueLengths(topology: Topology): Sample[] {
  const queueing = [...topology.pools.values()].filter(({ config }) => config.queue !== undefined)
  return queueing.map(({ id, queue }) => ({ labels: { pool: id }, value: queue.length }))
}

/** What a worker's report tells of. */
export interface Reported {
  readonly exchanges: ExchangeMetrics
  readonly backends: readonly BackendReport[]
  readonly queues: readonly Sample[]
  /** Of clients, now open. */
  readonly connections: number
  /** Of clients, turned away, by why. */
  readonly turnedAway: Readonly<Record<string, number>>
  readonly troubles: ConnectionTroubles
  readonly health: HealthEvents
  readonly store: Store
  readonly scripts: Scripts
}

/** What a worker tells of itself. */
export function workerReport(reported: Reported): WorkerReport {
  const { exchanges, backends, connections, store, scripts } = reported
  const refused = Object.entries(reported.turnedAway).map(([reason, value]) => ({ labels: { reason }, value }))
  const labelled = backends.map(({ pool, backend, ...report }) => ({ labels: { pool, backend }, ...report }))
  const inFlight = labelled.map(({ labels, inFlight }) => ({ labels: { ...labels, scope: 'node' }, value: inFlight }))
  const up = labelled.map(({ labels, state }) => ({ labels, value: state === 'down' ? 0 : 1 }))
  return {
    backends,
    metrics: [
      ...exchanges.metrics(),
      metric(catalogue.queueLength, reported.queues),
      metric(catalogue.backendConnections, inFlight),
      metric(catalogue.backendUp, up),
      ...reported.health.metrics(),
      metric(catalogue.backendState, labelled.flatMap(stateSamples)),
      single(catalogue.clientConnections, connections),
      metric(catalogue.connectionsRefused, refused),
      metric(catalogue.backendTlsFailures, reported.troubles.insecureSamples()),
      metric(
        catalogue.scriptErrors,
        scripts.faults().map(({ count, ...labels }) => ({ labels, value: count })),
      ),
      ...storeMetrics(store),
    ],
  }
}

const states: readonly BackendState[] = ['ready', 'drain', 'maint', 'down']

function stateSamples({ labels, state }: { readonly labels: Labels; readonly state: BackendState }): Sample[] {
  return states.map((each) => ({ labels: { ...labels, state: each }, value: each === state ? 1 : 0 }))
}
