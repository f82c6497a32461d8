import type { Milliseconds, Store } from '@sticky/store'

import { Fingerprints } from '../affinity/fingerprint.ts'
import { Keyring, type KeyringData } from '../affinity/keyring.ts'
import { Scripts } from '../affinity/script-service.ts'
import { showAddress } from '../config/address.ts'
import type { Config } from '../config/config.ts'
import { buildTopology, type Topology } from '../routing/topology.ts'
import { accessLog } from '../traffic/access-log.ts'
import type { ExchangeRecord } from '../traffic/exchange-record.ts'
import { type OpenTraffic, openTraffic } from '../traffic/server.ts'
import { type NamedStanding, Standings } from '../upstream/standings.ts'
import type { WorkerOrder } from './data-plane.ts'
import { ExchangeMetrics } from './exchange-metrics.ts'
import type { LogOutput } from './log.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric, single } from './metrics.ts'
import type { BackendReport, WorkerReport } from './worker-report.ts'

/** The data plane of one process. */
export interface Worker extends AsyncDisposable {
  /** Where clients connect, as `host:port`, in the order of the configuration. */
  readonly addresses: readonly string[]
  report(): WorkerReport
  rekey(keyring: KeyringData): void
  /** Takes all that operators and health checks say of backends. */
  place(standings: readonly NamedStanding[]): void
  /** Stops accepting and ends what is in flight, cutting it when the time is up. */
  drain(within: Milliseconds): Promise<void>
}

/** Opens the listeners and serves; rejects with the system's error when it cannot listen, and when a script cannot be loaded. */
export async function openWorker(order: WorkerOrder, store: Store, output: LogOutput): Promise<Worker> {
  const { config } = order
  const keyring = new Keyring(order.keyring)
  await using opened = new AsyncDisposableStack()
  const scripts = opened.use(scriptsOf(config, output))
  const metrics = new ExchangeMetrics(config.pools)
  const standings = new Standings(monotonic)
  standings.take(order.standings)
  const topology = buildTopology(config, {
    store,
    keyring,
    fingerprints: new Fingerprints(order.fingerprint),
    scripts,
    sessionRefused: (pool, reason) => metrics.refuseSession(pool, reason),
    health: (pool, { id, weight }) => standings.of(pool.id, id, weight, pool.ejection),
    clock: monotonic,
    random: Math.random,
  })
  await scripts.open()
  const traffic = await openTraffic({
    config,
    topology,
    store,
    observe: observer(config, metrics, output),
    failed: (error) => output.log.error({ err: error }, 'exchange failed'),
  })
  opened.use(traffic)
  const kept = opened.move()
  return {
    addresses: traffic.addresses.map(showAddress),
    report: () => report({ exchanges: metrics, backends: backendReports(topology, store), traffic, store, scripts }),
    rekey: (data) => keyring.update(data),
    place: (ordered) => standings.take(ordered),
    drain: (within) => traffic.drain(within),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function scriptsOf({ pools }: Config, { log }: LogOutput): Scripts {
  return new Scripts({ pools: new Set(pools.map(({ id }) => id)), log, clock: monotonic })
}

function monotonic(): Milliseconds {
  return performance.now()
}

function observer(config: Config, metrics: ExchangeMetrics, output: LogOutput): (record: ExchangeRecord) => void {
  if (!config.accessLog) return (record) => metrics.observe(record)
  const log = accessLog(output.lines, config.node.id)
  return (record) => {
    metrics.observe(record)
    log(record)
  }
}

function backendReports(topology: Topology, store: Store): BackendReport[] {
  return [...topology.pools.values()].flatMap((pool) =>
    pool.backends.map(({ id, health }) => ({
      pool: pool.id,
      backend: id,
      inFlight: store.load.local(pool.id, id),
      state: health.state,
      weight: health.weight,
      ejected: health.ejected,
    })),
  )
}

/** What a report tells of. */
interface Reported {
  readonly exchanges: ExchangeMetrics
  readonly backends: readonly BackendReport[]
  readonly traffic: OpenTraffic
  readonly store: Store
  readonly scripts: Scripts
}

function report({ exchanges, backends, traffic, store, scripts }: Reported): WorkerReport {
  const labelled = backends.map(({ pool, backend, ...report }) => ({ labels: { pool, backend }, ...report }))
  const inFlight = labelled.map(({ labels, inFlight }) => ({ labels: { ...labels, scope: 'node' }, value: inFlight }))
  const up = labelled.map(({ labels, state }) => ({ labels, value: state === 'down' ? 0 : 1 }))
  return {
    backends,
    metrics: [
      ...exchanges.metrics(),
      metric(catalogue.backendConnections, inFlight),
      metric(catalogue.backendUp, up),
      single(catalogue.clientConnections, traffic.connections()),
      metric(
        catalogue.scriptErrors,
        scripts.faults().map(({ count, ...labels }) => ({ labels, value: count })),
      ),
      single(catalogue.storeUp, store.available ? 1 : 0),
    ],
  }
}
