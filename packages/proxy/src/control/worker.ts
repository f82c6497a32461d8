import type { Milliseconds, Store } from '@sticky/store'

import { Fingerprints } from '../affinity/fingerprint.ts'
import { Keyring, type KeyringData } from '../affinity/keyring.ts'
import { Scripts } from '../affinity/script-service.ts'
import { showAddress } from '../config/address.ts'
import type { Config } from '../config/config.ts'
import { pemId } from '../config/pem.ts'
import { buildTopology, type Topology, type TopologyServices } from '../routing/topology.ts'
import { accessLog } from '../traffic/access-log.ts'
import type { ExchangeRecord } from '../traffic/exchange-record.ts'
import { type OpenTraffic, openTraffic } from '../traffic/server.ts'
import type { TlsSecrets } from '../traffic/tls-secrets.ts'
import type { DrainTerms } from '../traffic/traffic.ts'
import { type NamedStanding, Standings } from '../upstream/standings.ts'
import type { NodeSecrets } from './certificates.ts'
import type { WorkerOrder } from './data-plane.ts'
import { ExchangeMetrics } from './exchange-metrics.ts'
import { HealthEvents } from './health-events.ts'
import type { LogOutput } from './log.ts'
import { unlessAway } from './store-absence.ts'
import { ConnectionTroubles } from './troubles.ts'
import { backendReports, queueLengths, workerReport } from './worker-metrics.ts'
import type { WorkerReport } from './worker-report.ts'

/** The data plane of one process. */
export interface Worker extends AsyncDisposable {
  /** Where clients connect, as `host:port`, in the order of the configuration. */
  readonly addresses: readonly string[]
  report(): WorkerReport
  rekey(keyring: KeyringData): void
  /** Uses these over TLS from now on. */
  secure(secrets: NodeSecrets): void
  /** Takes all that operators and health checks say of backends. */
  place(standings: readonly NamedStanding[]): void
  /** Resolves when its store has reached the barrier; false: that did not happen in time. */
  reach(barrier: string): Promise<boolean>
  /** Makes ready for another configuration; rejects, and leaves all as it is, when it cannot listen or a script cannot be loaded. */
  prepare(config: Config): Promise<PreparedWorker>
  /** Lets what is underway end, and cuts what is left when the time is up. */
  drain(terms: DrainTerms): Promise<void>
}

/** Another configuration, ready to be served by. One of both is to be called. */
export interface PreparedWorker {
  /** Serves by it from now on; exchanges keep the one they began with. */
  adopt(): void
  /** Goes on with the one in use. */
  abandon(): Promise<void>
}

/** Opens the listeners and serves; rejects with the system's error when it cannot listen, and when a script cannot be loaded. */
export async function openWorker(order: WorkerOrder, store: Store, output: LogOutput): Promise<Worker> {
  const worker = new RunningWorker(order, store, output)
  try {
    await worker.open(order.config)
  } catch (error) {
    await worker[Symbol.asyncDispose]()
    throw error
  }
  return worker
}

class RunningWorker implements Worker {
  readonly #store: Store
  readonly #output: LogOutput
  readonly #keyring: Keyring
  readonly #fingerprints: Fingerprints
  readonly #scripts: Scripts
  readonly #metrics: ExchangeMetrics
  readonly #troubles: ConnectionTroubles
  readonly #health: HealthEvents
  readonly #standings: Standings
  readonly #services: TopologyServices
  readonly #opened = new AsyncDisposableStack()
  #observe: (record: ExchangeRecord) => void
  #secrets: NodeSecrets
  #topology!: Topology
  #traffic!: OpenTraffic

  constructor({ config, keyring, fingerprint, secrets, standings }: WorkerOrder, store: Store, output: LogOutput) {
    const pools = new Set(config.pools.map(({ id }) => id))
    this.#store = store
    this.#secrets = secrets
    this.#output = output
    this.#keyring = new Keyring(keyring)
    this.#fingerprints = new Fingerprints(keyring.fingerprint ?? fingerprint)
    this.#scripts = this.#opened.use(new Scripts({ pools, log: output.log, clock: monotonic }))
    this.#troubles = new ConnectionTroubles(output.log, monotonic)
    this.#metrics = new ExchangeMetrics(config.pools)
    this.#observe = observer(config, this.#metrics, output)
    this.#health = new HealthEvents(output.log, store.cluster)
    this.#standings = new Standings(monotonic, this.#health)
    this.#standings.take(standings)
    store.cluster.onRecovery((pool, backend) => this.#standings.recovered(pool, backend))
    this.#services = {
      store,
      keyring: this.#keyring,
      fingerprints: this.#fingerprints,
      scripts: this.#scripts,
      sessionRefused: (pool, reason) => this.#metrics.refuseSession(pool, reason),
      health: (pool, { id, weight }) => this.#standings.of(pool.id, id, weight, pool.ejection),
      pems: (files) => this.#secrets.pems.get(pemId(files)),
      clock: monotonic,
      random: Math.random,
    }
  }

  get addresses(): readonly string[] {
    return this.#traffic.addresses.map(showAddress)
  }

  async open(config: Config): Promise<void> {
    this.#topology = buildTopology(config, this.#services)
    this.#standings.adopt(config.pools)
    await this.#scripts.open()
    this.#scripts.adopt(config.pools)
    const traffic = await openTraffic({
      config,
      topology: this.#topology,
      store: this.#store,
      observe: (record) => this.#observe(record),
      failed: (error) => this.#output.log.error({ err: error }, 'exchange failed'),
      secrets: this.#tlsSecrets,
      turnedAway: this.#troubles.turnedAway,
      acceptFailed: this.#troubles.acceptFailed,
      insecure: this.#troubles.insecure,
    })
    this.#traffic = this.#opened.use(traffic)
    this.#store.onRecall((key) => void unlessAway(traffic.tunnels.recall(key)))
  }

  async prepare(config: Config): Promise<PreparedWorker> {
    try {
      const topology = buildTopology(config, this.#services, this.#topology)
      await this.#scripts.open()
      const traffic = await this.#traffic.prepare(config)
      return {
        adopt: () => {
          this.#metrics.adopt(config.pools)
          this.#observe = observer(config, this.#metrics, this.#output)
          this.#scripts.adopt(config.pools)
          this.#topology = topology
          this.#standings.adopt(config.pools)
          traffic.adopt(topology)
        },
        abandon: async () => {
          await Promise.all([traffic.abandon(), this.#scripts.abandon()])
        },
      }
    } catch (error) {
      await this.#scripts.abandon()
      throw error
    }
  }

  report(): WorkerReport {
    const backends = backendReports(this.#topology, this.#store)
    const connections = this.#traffic.connections()
    return workerReport({
      exchanges: this.#metrics,
      backends,
      queues: queueLengths(this.#topology),
      connections,
      turnedAway: this.#traffic.turnedAway(),
      troubles: this.#troubles,
      health: this.#health,
      store: this.#store,
      scripts: this.#scripts,
    })
  }

  rekey(keyring: KeyringData): void {
    this.#fingerprints.update(keyring.fingerprint)
    this.#keyring.update(keyring)
  }

  secure(secrets: NodeSecrets): void {
    this.#secrets = secrets
    this.#traffic.secure(this.#tlsSecrets)
  }

  get #tlsSecrets(): TlsSecrets {
    const { pems, ticketKey } = this.#secrets
    return { pemsOf: (files) => pems.get(pemId(files)), ticketKey }
  }

  place(standings: readonly NamedStanding[]): void {
    this.#standings.take(standings)
  }

  async reach(barrier: string): Promise<boolean> {
    const reached = await unlessAway(this.#store.cluster.reached(barrier))
    // Whoever asks next what a backend carries is to see what was sent there before this.
    await unlessAway(this.#store.load.reported())
    return reached !== null
  }

  async drain(terms: DrainTerms): Promise<void> {
    await this.#traffic.drain(terms)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync()
  }
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
