import { type Milliseconds, openStore, type Store } from '@sticky/store'

import { Fingerprints } from '../affinity/fingerprint.ts'
import { Keyring, type KeyringData } from '../affinity/keyring.ts'
import type { Config, PemFiles, StoreConfig } from '../config/config.ts'
import { pemId } from '../config/pem.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { type AdminApi, AdminProblem } from './admin-api.ts'
import { backendOperations } from './admin-backends.ts'
import { clusterOperations } from './admin-cluster.ts'
import { moveOperations } from './admin-moves.ts'
import { nodeOperations } from './admin-node.ts'
import { type AdminSubject, openAdminServer } from './admin-server.ts'
import { sessionOperations } from './admin-sessions.ts'
import { BackendOrders } from './backend-orders.ts'
import { Certificates } from './certificates.ts'
import type { ConfigChanges } from './config-changes.ts'
import type { DataPlane, WorkerOrder } from './data-plane.ts'
import { drainTerms } from './drain-terms.ts'
import { explainer } from './explain.ts'
import { HealthChecks } from './health-checks.ts'
import { listenerClash } from './listener-clash.ts'
import type { LogOutput } from './log.ts'
import { type ClusterMembership, joinCluster } from './membership.ts'
import { type Exposition, exposition, processMetrics, watchProcess } from './metrics.ts'
import { MoveCounts } from './move-counts.ts'
import { nodeMetrics } from './node-metrics.ts'
import { Reloads } from './reloads.ts'
import { sessionRecogniser } from './session-recogniser.ts'
import { type SharedSecrets, sharedSecrets } from './shared-secrets.ts'
import { StallWatch } from './stall-watch.ts'
import { StartFailure, startFailure } from './start-failure.ts'
import { unlessAway } from './store-absence.ts'
import { StoreWatch } from './store-watch.ts'
import { Verdicts } from './verdicts.ts'
import type { WorkerReport } from './worker-report.ts'

/** A node of the cluster that serves; disposing it cuts what is in flight. */
export interface Node extends AsyncDisposable {
  /** By which it runs. */
  readonly config: Config
  /** Where clients connect, as `host:port`, in the order of the configuration. */
  readonly addresses: readonly string[]
  /** Where the admin API is served, `host:port` or `unix:path`; undefined without one. */
  readonly adminAddress: string | undefined
  /**
   * Serves by another configuration from when it resolves; without one, by what its file says now. Rejects with ConfigErrors or
   * StartFailure, and goes on as it was, when it cannot.
   */
  reload(config?: Config): Promise<ConfigChanges>
  /** Replaces every worker by a new one that serves before the old one drains; rejects with StartFailure when one cannot start. */
  restartWorkers(): Promise<void>
  /**
   * Announces that it ends: for `grace` milliseconds, by default those of `drain.grace`, it goes on accepting connections and
   * reading idle ones. Lets exchanges end within the configured `shutdownTimeout`, then leaves the cluster.
   */
  drain(grace?: Milliseconds): Promise<void>
}

/** What a node is opened with. */
export interface NodeOptions {
  readonly config: Config
  /** Disposed with the node. */
  readonly output: LogOutput
  /** Used instead of opening the configured one, and left open; for nodes that share a store within one process. */
  readonly store?: Store | undefined
  /** Gives up a start that is still waiting, for the store for example. */
  readonly signal: AbortSignal
  /** Reads its configuration anew; throws ConfigErrors. Undefined where whoever opened the node reloads it. */
  readonly readConfig?: (() => Config) | undefined
  /** Starts the workers; `store` is the node's own, for those that share its process. */
  startWorkers(order: WorkerOrder, store: Store): Promise<DataPlane>
}

/** Opens a node and resolves when it serves; rejects with StartFailure when it cannot. */
export async function openNode(options: NodeOptions): Promise<Node> {
  const node = new RunningNode(options)
  try {
    await node.open()
  } catch (error) {
    await node[Symbol.asyncDispose]()
    throw startFailure(error)
  }
  return node
}

/** What the configuration says of a store, as a store is opened. */
export function openConfiguredStore({ url, ...options }: StoreConfig): Store {
  return openStore(url, options)
}

/** What probes are told: others may be better off, but this one serves. */
const degraded = "degraded: the store is away; sessions go on, new ones are placed by this node's own numbers"

class RunningNode implements Node {
  adminAddress: string | undefined
  readonly #options: NodeOptions
  readonly #store: Store
  readonly #opened = new AsyncDisposableStack()
  readonly #reloads: Reloads
  readonly #certificates: Certificates
  /** By which it runs. */
  #config: Config
  #phase: 'starting' | 'serving' | 'draining' = 'starting'
  #keyring: Keyring | undefined
  #member: ClusterMembership | undefined
  #fingerprints: Fingerprints | undefined
  #watch: StoreWatch | undefined
  #drained: Promise<void> | undefined
  #api: AdminApi | undefined
  #plane: DataPlane | undefined
  readonly #verdicts = new Verdicts((standings) => this.#plane?.place(standings))
  readonly #workersStarted = Promise.withResolvers<DataPlane>()
  readonly #moves = new MoveCounts()
  #orders: BackendOrders | undefined
  #acknowledgements: Acknowledgements | undefined
  readonly #checks: HealthChecks

  constructor(options: NodeOptions) {
    this.#options = options
    this.#config = options.config
    this.#reloads = new Reloads(this, options.output.log, (config) => this.#adopt(config))
    this.#opened.use(options.output)
    this.#certificates = this.#opened.use(
      new Certificates(options.output.log, (secrets) => this.#plane?.secure(secrets)),
    )
    const pems = (files: PemFiles) => this.#certificates.secrets.pems.get(pemId(files))
    this.#checks = this.#opened.use(new HealthChecks({ verdicts: this.#verdicts, log: options.output.log, pems }))
    this.#store = options.store ?? this.#opened.use(openConfiguredStore(options.config.store))
  }

  get addresses(): readonly string[] {
    return this.#plane?.addresses ?? []
  }

  get config(): Config {
    return this.#config
  }

  async open(): Promise<void> {
    const { config, signal } = this.#options
    const { log } = this.#options.output
    watchProcess()
    await this.#openAdmin()
    await this.#certificates.open(config)
    const secrets = await sharedSecrets(this.#store.cluster, config.secrets, log, signal)
    const member = await this.#join(secrets)
    await this.#startWorkers(member, secrets)
    await member.announce(this.addresses)
    this.#watch = this.#opened.use(new StoreWatch(this.#store, log))
    this.#opened.use(new StallWatch(log, config.store.lease))
    this.#phase = 'serving'
    log.info({ addresses: this.addresses, admin: this.#adminUrl() }, 'listening')
  }

  reload(config?: Config): Promise<ConfigChanges> {
    const read = config === undefined ? this.#options.readConfig : () => config
    if (read === undefined) return Promise.reject(new StartFailure('this node has no configuration file'))
    if (this.#phase !== 'serving') return Promise.reject(new StartFailure(`the node is ${this.#phase}`))
    return this.#reloads.reload(read)
  }

  async restartWorkers(): Promise<void> {
    if (this.#phase !== 'serving') throw new StartFailure(`the node is ${this.#phase}`)
    await this.#plane!.restart(drainTerms(this.#config))
  }

  drain(grace?: Milliseconds): Promise<void> {
    this.#drained ??= this.#drain(grace)
    return this.#drained
  }

  async #drain(grace?: Milliseconds): Promise<void> {
    this.#phase = 'draining'
    const terms = drainTerms(this.#config, grace)
    await this.#plane?.drain({ ...terms, accepting: terms.grace, shared: false })
    this.#options.output.log.info({}, 'drained')
    await this.#opened.disposeAsync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#phase = 'draining'
    await this.#opened.disposeAsync()
  }

  /** Before all else, so that probes are answered while the node waits for its store. */
  async #openAdmin(): Promise<void> {
    const { admin } = this.#options.config
    if (admin === undefined) return
    const server = this.#opened.use(await openAdminServer(admin, this.#subject()))
    this.adminAddress = server.address
  }

  #adminUrl(): string | undefined {
    return this.adminAddress?.replace(/^(?!unix:)/, 'http://')
  }

  async #join(secrets: SharedSecrets): Promise<ClusterMembership> {
    const { config, output } = this.#options
    const store = this.#store
    const onKeyring = (keyring: KeyringData): void => this.#rekey(keyring)
    const member = this.#opened.use(await joinCluster({ config, store, secrets, log: output.log, onKeyring }))
    this.#keyring = new Keyring(member.keyring)
    this.#member = member
    this.#fingerprints = new Fingerprints(member.keyring.fingerprint ?? secrets.fingerprint)
    await this.#obeyOperators(member)
    this.#api = this.#apiOf(config)
    return member
  }

  /** Knows what operators want before it serves, and says from then on when that is in force here. */
  async #obeyOperators({ instance }: ClusterMembership): Promise<void> {
    const { config, output } = this.#options
    const store = this.#store
    const { log } = output
    const pools = () => this.#config.pools
    const { heartbeat } = config.store
    const orders = new BackendOrders({ store, verdicts: this.#verdicts, pools, log, heartbeat })
    this.#orders = this.#opened.use(orders)
    const settle = async (barrier: string): Promise<boolean> => {
      await orders.refresh()
      return (await this.#workersStarted.promise).reach(barrier)
    }
    this.#acknowledgements = new Acknowledgements({ id: config.node.id, instance, cluster: store.cluster, log, settle })
    await unlessAway(orders.refresh())
  }

  /** The operations on what that configuration names. */
  #apiOf(config: Config): AdminApi {
    const store = this.#store
    const services = { store, keyring: this.#keyring!, fingerprints: this.#fingerprints! }
    const recognise = sessionRecogniser(config.pools, services)
    const reports = () => this.#reports()
    const self = () => this.#member!.announcement
    const operators = { orders: this.#orders!, acknowledgements: this.#acknowledgements!, moves: this.#moves }
    const checks = this.#checks
    const sources = { store, pools: config.pools, self, recognise, reports, checks, ...operators }
    const explain = explainer({ config, reports, checks, ...services })
    return {
      ...sessionOperations(sources),
      ...moveOperations(sources),
      ...backendOperations(sources),
      ...clusterOperations(sources),
      ...nodeOperations(config, this),
      explain,
    }
  }

  /** The workers first: what they refuse nothing else has heard of. */
  async #adopt(config: Config): Promise<void> {
    if (this.#phase !== 'serving') throw new StartFailure(`the node is ${this.#phase}`)
    const clash = listenerClash(this.#config, config)
    if (clash !== undefined) throw new StartFailure(clash)
    await this.#certificates.add(config)
    this.#checks.expect(config.pools)
    try {
      await this.#plane!.adopt(config)
      if (this.#phase !== 'serving') throw new StartFailure(`the node is ${this.#phase}`)
      this.#config = config
    } finally {
      this.#certificates.keep(this.#config)
    }
    this.#checks.update(config.pools)
    this.#api = this.#apiOf(config)
    await this.#member!.adopt(config, this.addresses)
  }

  async #startWorkers(member: ClusterMembership, { fingerprint }: SharedSecrets): Promise<void> {
    const { secrets } = this.#certificates
    this.#checks.update(this.#options.config.pools)
    const order = {
      config: this.#options.config,
      secrets,
      keyring: member.keyring,
      fingerprint,
      standings: this.#verdicts.all,
      storeAway: !this.#store.available,
    }
    this.#plane = this.#opened.use(await this.#options.startWorkers(order, this.#store))
    this.#plane.place(this.#verdicts.all)
    this.#workersStarted.resolve(this.#plane)
    this.#plane.secure(this.#certificates.secrets)
    if (member.keyring !== order.keyring) this.#plane.rekey(member.keyring)
  }

  #rekey(keyring: KeyringData): void {
    this.#fingerprints?.update(keyring.fingerprint)
    this.#keyring?.update(keyring)
    this.#plane?.rekey(keyring)
  }

  async #reports(): Promise<readonly WorkerReport[]> {
    return (await this.#plane?.reports()) ?? []
  }

  #subject(): AdminSubject {
    return {
      api: () => {
        if (this.#api === undefined) throw new AdminProblem('not-ready', this.#phase)
        return this.#api
      },
      notReady: () => this.#notReady(),
      metrics: () => this.#metrics(),
      onError: (error) => this.#options.output.log.error({ err: error }, 'admin request failed'),
    }
  }

  #notReady(): string | undefined {
    if (this.#phase !== 'serving') return this.#phase
    if (!this.#store.available) return degraded
    return this.#plane?.serving === 0 ? 'no worker serves' : undefined
  }

  async #metrics(): Promise<Exposition> {
    const { pools } = this.#config
    const [own, ofProcess, reports] = await Promise.all([
      nodeMetrics(this.#store, pools, this.#plane, this.#watch?.warnings),
      processMetrics(),
      this.#reports(),
    ])
    return exposition([
      own,
      this.#checks.metrics(),
      this.#reloads.metrics(),
      this.#moves.metrics(),
      ofProcess,
      ...reports.map((report) => report.metrics),
    ])
  }
}
