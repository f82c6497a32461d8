import type { Store } from '@sticky/store'

import type { Address, Config, ListenConfig } from '../config/config.ts'
import type { Topology } from '../routing/topology.ts'
import type { Backend } from '../upstream/backend.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { WireTransport } from '../upstream/wire-transport.ts'
import { type AddressRanges, addressRanges } from './address-ranges.ts'
import { ConnectionGate, type ConnectionRefusal } from './connection-gate.ts'
import { clientDescriptors } from './descriptors.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import { type Entrance, Listener, type ListenerTerms } from './listener.ts'
import { OpenTunnels } from './open-tunnels.ts'
import { RequestIds } from './request-ids.ts'
import type { TlsSecrets } from './tls-secrets.ts'
import type { DrainTerms, Traffic } from './traffic.ts'

/** What a worker's traffic is made of. */
export interface TrafficOptions {
  readonly config: Config
  readonly topology: Topology
  readonly store: Store
  /** Takes each exchange that is over. */
  observe(record: ExchangeRecord): void
  /** Takes failures that should not happen. */
  failed(error: unknown): void
  /** Certificates and keys; undefined where nothing speaks TLS. */
  readonly secrets?: TlsSecrets | undefined
  /** Connections of clients this process can hold; undefined: as many as it has descriptors for. */
  readonly descriptors?: number | undefined
  /** Hears of each connection that is turned away. */
  readonly turnedAway?: ((reason: ConnectionRefusal) => void) | undefined
  /** Takes the system's error for a connection it could not hand over. */
  readonly acceptFailed?: ((error: unknown) => void) | undefined
  /** Takes why no connection to a backend is secure. */
  readonly insecure?: ((backend: Backend, reason: string) => void) | undefined
}

/** A worker's listeners and connections. Disposing cuts whatever is left. */
export interface OpenTraffic extends AsyncDisposable {
  /** As bound, in the order of the configuration. */
  readonly addresses: readonly Address[]
  /** Binds what listeners another configuration adds; rejects with the system's error when one cannot be bound. */
  prepare(config: Config): Promise<PreparedTraffic>
  /** Lets what is underway end, and cuts what is left when the time is up. */
  drain(terms: DrainTerms): Promise<void>
  /** Client connections now open. */
  connections(): number
  /** Those that belong to sessions. */
  readonly tunnels: OpenTunnels
  /** Shows these certificates to whoever comes from now on; throws where one cannot be used. */
  secure(secrets: TlsSecrets): void
  /** How many connections were turned away, and why. */
  turnedAway(): Readonly<Record<ConnectionRefusal, number>>
}

/** Another configuration's listeners, ready to take the place of those in use. One of both is to be called. */
export interface PreparedTraffic {
  /** Serves by that configuration from now on: exchanges keep what they began with, connections stay, removed listeners drain. */
  adopt(topology: Topology): void
  /** Leaves all as it is. */
  abandon(): Promise<void>
}

/** Opens the listeners of a configuration. Rejects with the system's error when one cannot be bound. */
export async function openTraffic(options: TrafficOptions): Promise<OpenTraffic> {
  const traffic = new WorkerTraffic(options)
  try {
    const listeners = await traffic.prepare(options.config)
    listeners.adopt(options.topology)
  } catch (error) {
    await traffic[Symbol.asyncDispose]()
    throw error
  }
  return traffic
}

const noSecrets: TlsSecrets = { pemsOf: () => undefined, ticketKey: new Uint8Array(48) }

class WorkerTraffic implements Traffic, OpenTraffic, Entrance {
  config: Config
  topology: Topology
  trusted: AddressRanges
  readonly store: Store
  readonly observe: (record: ExchangeRecord) => void
  readonly failed: (error: unknown) => void
  readonly deadlines: Deadlines = new Deadlines()
  readonly transport: WireTransport
  readonly requestIds: RequestIds = new RequestIds()
  readonly tunnels: OpenTunnels
  readonly gate: ConnectionGate
  readonly acceptFailed: (error: unknown) => void
  secrets: TlsSecrets
  /** In the order of the configuration. */
  #listeners: readonly Listener[] = []
  /** Taken out of the configuration, with connections that have yet to end. */
  readonly #removed = new Set<Listener>()
  #isEnding = false

  constructor(options: TrafficOptions) {
    const { config, topology, store, observe, failed } = options
    this.gate = new ConnectionGate(options.descriptors ?? clientDescriptors(), options.turnedAway ?? (() => {}))
    this.gate.heed(config)
    this.acceptFailed = options.acceptFailed ?? failed
    this.secrets = options.secrets ?? noSecrets
    this.config = config
    this.topology = topology
    this.store = store
    this.tunnels = new OpenTunnels(store.sessions)
    this.observe = observe
    this.failed = failed
    this.transport = new WireTransport(this.deadlines, config.timeouts, options.insecure)
    this.trusted = addressRanges(config.trustedProxies)
  }

  get addresses(): readonly Address[] {
    return this.#listeners.map(({ address }) => address)
  }

  connections(): number {
    return this.#all.reduce((sum, { connections }) => sum + connections, 0)
  }

  turnedAway(): Readonly<Record<ConnectionRefusal, number>> {
    return this.gate.counts
  }

  secure(secrets: TlsSecrets): void {
    this.secrets = secrets
    for (const listener of this.#listeners) listener.secure()
  }

  async prepare(config: Config): Promise<PreparedTraffic> {
    const { listeners, added, removed } = this.#matched(config.listen)
    const terms = listeners.map((listener, index) => listener.termsOf(config.listen[index]!))
    const abandon = async (): Promise<void> => {
      for (const listener of added) await closed(listener)
    }
    try {
      for (const listener of added) await listener.open()
    } catch (error) {
      await abandon()
      throw error
    }
    const adopt = (topology: Topology): void => {
      // What it would listen on now would not drain with the rest.
      if (this.#isEnding) void abandon()
      else this.#adopt({ config, topology, listeners, terms, removed })
    }
    return { abandon, adopt }
  }

  /** A listener is the same as long as its address is. */
  #matched(configs: readonly ListenConfig[]): Matched {
    const left = [...this.#listeners]
    const added: Listener[] = []
    const listeners = configs.map((config) => {
      const at = left.findIndex((listener) => isSameAddress(listener.config.address, config.address))
      if (at !== -1) return left.splice(at, 1)[0]!
      const listener = new Listener(config, this, this)
      added.push(listener)
      return listener
    })
    return { listeners, added, removed: left }
  }

  #adopt({ config, topology, listeners, terms, removed }: Adopted): void {
    const had = backendsOf(this.topology)
    this.config = config
    this.topology = topology
    this.trusted = addressRanges(config.trustedProxies)
    this.gate.heed(config)
    this.transport.timeouts = config.timeouts
    const has = new Set(backendsOf(topology))
    this.transport.retire(had.filter((backend) => !has.has(backend)))
    for (const [index, listener] of listeners.entries()) listener.adopt(terms[index]!)
    this.#listeners = listeners
    for (const listener of removed) this.#retire(listener)
  }

  async #retire(listener: Listener): Promise<void> {
    this.#removed.add(listener)
    listener.drain(this.config.drain.grace)
    const deadline = setTimeout(() => listener.leave(), this.config.shutdownTimeout)
    await listener.close()
    clearTimeout(deadline)
    this.#removed.delete(listener)
  }

  async drain({ accepting, grace, longest, shared }: DrainTerms): Promise<void> {
    this.#isEnding = true
    for (const listener of this.#all) listener.drain(grace)
    const deadline = setTimeout(() => this.#leaveAll(), longest)
    await new Promise((resolve) => setTimeout(resolve, Math.min(accepting, longest)))
    await (shared ? this.#close() : this.#closeLast())
    clearTimeout(deadline)
  }

  get #all(): readonly Listener[] {
    return [...this.#listeners, ...this.#removed]
  }

  #close(): Promise<unknown> {
    return Promise.all(this.#all.map((listener) => listener.close()))
  }

  #closeLast(): Promise<unknown> {
    return Promise.all(this.#all.map((listener) => listener.closeLast()))
  }

  #leaveAll(): void {
    for (const listener of this.#all) listener.leave()
  }

  #cutAll(): void {
    for (const listener of this.#all) listener.cut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    this.#cutAll()
    this.transport[Symbol.dispose]()
    await this.#close()
    this.deadlines[Symbol.dispose]()
  }
}

/** Listeners in the order of a configuration, those of them that are new, and those that are in it no more. */
interface Matched {
  readonly listeners: readonly Listener[]
  readonly added: readonly Listener[]
  readonly removed: readonly Listener[]
}

interface Adopted extends Omit<Matched, 'added'> {
  readonly config: Config
  readonly topology: Topology
  /** Of the listeners, in their order. */
  readonly terms: readonly ListenerTerms[]
}

function backendsOf({ pools }: Topology): Backend[] {
  return [...pools.values()].flatMap(({ backends }) => backends)
}

function isSameAddress(one: Address, other: Address): boolean {
  return one.host === other.host && one.port === other.port
}

function closed(listener: Listener): Promise<void> {
  const over = listener.close()
  listener.cut()
  return over
}
