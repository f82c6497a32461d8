import { createServer, type Server, type Socket } from 'node:net'

import type { Milliseconds, Store } from '@sticky/store'

import type { Address, Config, ListenConfig } from '../config/config.ts'
import type { Topology } from '../routing/topology.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { WireTransport } from '../upstream/wire-transport.ts'
import type { Origin } from '../wire/forwarding.ts'
import { type AddressRanges, addressRanges, plainAddress } from './address-ranges.ts'
import { ClientConnection } from './client-connection.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import { ProxiedSocket } from './proxied-socket.ts'
import { RequestIds } from './request-ids.ts'
import type { Traffic } from './traffic.ts'

/** What a worker's traffic is made of. */
export interface TrafficOptions {
  readonly config: Config
  readonly topology: Topology
  readonly store: Store
  /** Takes each exchange that is over. */
  observe(record: ExchangeRecord): void
  /** Takes failures that should not happen. */
  failed(error: unknown): void
}

/** A worker's listeners and connections. Disposing cuts whatever is left. */
export interface OpenTraffic extends AsyncDisposable {
  /** As bound, in the order of the configuration. */
  readonly addresses: readonly Address[]
  /** Stops accepting, announces the close, waits for exchanges; cuts what is left after so long. */
  drain(longest: Milliseconds): Promise<void>
  /** Client connections now open. */
  connections(): number
}

/** A client's connection, or a balancer's that has yet to say for whom it is. */
interface OpenConnection {
  /** Ends soon unless an exchange is underway. */
  drain(): void
  /** Closes at once. */
  destroy(): void
}

/** Opens the listeners of a configuration. Rejects with the system's error when one cannot be bound. */
export async function openTraffic(options: TrafficOptions): Promise<OpenTraffic> {
  const traffic = new WorkerTraffic(options)
  try {
    await traffic.listen()
  } catch (error) {
    await traffic[Symbol.asyncDispose]()
    throw error
  }
  return traffic
}

class WorkerTraffic implements Traffic, OpenTraffic {
  readonly config: Config
  readonly topology: Topology
  readonly store: Store
  readonly observe: (record: ExchangeRecord) => void
  readonly failed: (error: unknown) => void
  readonly deadlines: Deadlines = new Deadlines()
  readonly transport: WireTransport
  readonly trusted: AddressRanges
  readonly requestIds: RequestIds = new RequestIds()
  addresses: readonly Address[] = []
  draining = false
  readonly #servers: Server[] = []
  readonly #connections = new Set<OpenConnection>()
  #emptied: (() => void) | undefined

  constructor({ config, topology, store, observe, failed }: TrafficOptions) {
    this.config = config
    this.topology = topology
    this.store = store
    this.observe = observe
    this.failed = failed
    this.transport = new WireTransport(this.deadlines, config.timeouts)
    this.trusted = addressRanges(config.trustedProxies)
  }

  async listen(): Promise<void> {
    const addresses: Address[] = []
    for (const listener of this.config.listen) addresses.push(await this.#open(listener))
    this.addresses = addresses
  }

  #open(listener: ListenConfig): Promise<Address> {
    const accept = this.#acceptor(listener)
    const server = createServer({ noDelay: true }, accept)
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(listener.address, () => {
        server.off('error', reject).on('error', this.failed)
        const { address, port } = server.address() as { address: string; port: number }
        resolve({ host: address, port })
      })
    })
  }

  #acceptor({ proxyProtocolFrom }: ListenConfig): (socket: Socket) => void {
    if (proxyProtocolFrom === undefined) return (socket) => this.#accept(socket)
    const balancers = addressRanges(proxyProtocolFrom)
    return (socket) => this.#acceptProxied(socket, balancers)
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    this.#serve(socket, plainAddress(socket.remoteAddress ?? ''), socket.localPort ?? 0)
  }

  /** Only the named balancers may connect, and each must say for whom (proxy-protocol.txt, section 2: never optional). */
  #acceptProxied(socket: Socket, balancers: AddressRanges): void {
    socket.on('error', () => socket.destroy())
    const peer = plainAddress(socket.remoteAddress ?? '')
    if (!balancers.contains(peer)) {
      socket.destroy()
      return
    }
    const proxied = new ProxiedSocket(socket, this.deadlines, this.config.timeouts.head, (header) => {
      this.#connections.delete(proxied)
      this.#serve(socket, header.source?.address ?? peer, header.destinationPort ?? socket.localPort ?? 0)
    })
    this.#hold(socket, proxied)
  }

  #serve(socket: Socket, address: string, port: number): void {
    const origin: Origin = { address, port, scheme: 'http', trusted: this.trusted.contains(address) }
    this.#hold(socket, new ClientConnection(this, socket, origin))
  }

  #hold(socket: Socket, connection: OpenConnection): void {
    this.#connections.add(connection)
    socket.once('close', () => this.#closed(connection))
    if (this.draining) connection.drain()
  }

  #closed(connection: OpenConnection): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#emptied?.()
  }

  connections(): number {
    return this.#connections.size
  }

  async drain(longest: Milliseconds): Promise<void> {
    this.draining = true
    const stopped = this.#stopAccepting()
    for (const connection of this.#connections) connection.drain()
    const deadline = setTimeout(() => this.#cutAll(), longest)
    await Promise.all([this.#empty(), stopped])
    clearTimeout(deadline)
  }

  #stopAccepting(): Promise<unknown> {
    return Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }

  #empty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#emptied = resolve
    })
  }

  #cutAll(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cutAll()
    this.transport[Symbol.dispose]()
    await this.#stopAccepting()
    this.deadlines[Symbol.dispose]()
  }
}
