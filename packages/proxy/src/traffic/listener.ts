import { createServer, type Server, type Socket } from 'node:net'
import { isDeepStrictEqual } from 'node:util'

import type { Milliseconds } from '@sticky/store'

import type { Address, ListenConfig } from '../config/config.ts'
import type { Origin } from '../wire/forwarding.ts'
import { type AddressRanges, addressRanges, plainAddress } from './address-ranges.ts'
import { ClientConnection } from './client-connection.ts'
import type { ConnectionGate } from './connection-gate.ts'
import { lastCall } from './last-call.ts'
import { ProxiedSocket } from './proxied-socket.ts'
import { TlsListener } from './tls-listener.ts'
import { TlsOpening } from './tls-opening.ts'
import type { TlsSecrets } from './tls-secrets.ts'
import type { Traffic } from './traffic.ts'

/** A client's connection, or a balancer's that has yet to say for whom it is. */
interface OpenConnection {
  /** Closes after the exchange it is in; without one it is read for so long, since its next request may be on the way. */
  drain(grace: Milliseconds): void
  /** Closes at once, after a last word where its client can be told. */
  leave?(): void
  /** Closes at once. */
  destroy(): void
}

/** What the listeners of a worker share besides its traffic. */
export interface Entrance {
  readonly gate: ConnectionGate
  /** Replaced whole. */
  readonly secrets: TlsSecrets
  /** Connections now open. */
  connections(): number
  /** Takes the system's error for a connection it could not hand over. */
  acceptFailed(error: unknown): void
}

// How long clients have to read the last word, and to close by themselves.
const LAST_WORD: Milliseconds = 500

// Cheap, and most clients see it before the connection is gone.
const FULL =
  'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 21\r\nRetry-After: 2\r\nConnection: close\r\n\r\ntoo many connections\n'

/** What a listener asks of connections, as some secrets have it. */
export interface ListenerTerms {
  readonly config: ListenConfig
  readonly balancers: AddressRanges | undefined
  readonly tls: TlsListener | undefined
  readonly secrets: TlsSecrets
}

// As many as the system would let wait.
const MOST_EARLY = 511

/** One bound address and the connections that came to it. */
export class Listener {
  /** As bound. */
  address: Address = { host: '', port: 0 }
  readonly #traffic: Traffic
  readonly #entrance: Entrance
  readonly #server: Server
  readonly #connections = new Set<OpenConnection>()
  /** Connected before it is known whether anybody is served here; undefined: it is. */
  #early: Set<Socket> | undefined = new Set()
  #terms: ListenerTerms
  #grace: Milliseconds | undefined
  #closed: Promise<void> | undefined
  #emptied: (() => void) | undefined

  /** Throws where a certificate cannot be used. */
  constructor(config: ListenConfig, traffic: Traffic, entrance: Entrance) {
    this.#traffic = traffic
    this.#entrance = entrance
    this.#terms = termsOf(config, entrance.secrets)
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  get config(): ListenConfig {
    return this.#terms.config
  }

  /** What another configuration of the same address asks of connections; throws where a certificate cannot be used. */
  termsOf(config: ListenConfig): ListenerTerms {
    return isDeepStrictEqual(config, this.config) ? this.#terms : termsOf(config, this.#entrance.secrets)
  }

  /** Asks that of whoever comes from now on, and of whoever came before the first time. */
  adopt(terms: ListenerTerms): void {
    this.#terms = terms
    this.secure()
    const early = this.#early ?? []
    this.#early = undefined
    for (const socket of early) this.#admit(socket)
  }

  /** Shows the certificates that are in force now to whoever comes from now on. */
  secure(): void {
    const { secrets } = this.#entrance
    const { config } = this
    // Where nobody comes any more, they may be those of a configuration that it does not serve by.
    if (this.#closed !== undefined || this.#terms.secrets === secrets) return
    this.#terms = config.tls.length === 0 ? { ...this.#terms, secrets } : termsOf(config, secrets)
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Begins to accept, and to serve once `adopt` was called; rejects with the system's error. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.config.address, () => {
        this.#server.off('error', reject).on('error', (error) => this.#entrance.acceptFailed(error))
        const { address, port } = this.#server.address() as { address: string; port: number }
        this.address = { host: address, port }
        resolve()
      })
    })
  }

  /** Lets each connection end, those too that come from now on: idle ones within `grace`, not all at once. */
  drain(grace: Milliseconds): void {
    this.#grace = grace
    for (const connection of this.#connections) connection.drain(spread(grace))
  }

  /** Accepts nobody new; resolves when the last connection is closed. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => {
        // The server's end comes before that of the sockets that were destroyed.
        if (this.#connections.size === 0) resolve()
        else this.#emptied = resolve
      })
    })
    return this.#closed
  }

  /** The same where nobody else accepts from its socket: what waits there is accepted first, or it would be reset. */
  async closeLast(): Promise<void> {
    await lastCall(this.#server, this.address)
    await this.close()
  }

  /** The time is up: WebSockets are told, and closed a moment later like all others now. */
  leave(): void {
    for (const connection of this.#connections) {
      if (connection.leave === undefined) connection.destroy()
      else connection.leave()
    }
    setTimeout(() => this.cut(), LAST_WORD).unref()
  }

  /** Closes what is open. */
  cut(): void {
    for (const connection of [...this.#connections, ...(this.#early ?? [])]) connection.destroy()
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (this.#early === undefined) this.#admit(socket)
    else this.#keepWaiting(socket, this.#early)
  }

  #keepWaiting(socket: Socket, early: Set<Socket>): void {
    if (early.size >= MOST_EARLY) {
      socket.destroy()
      return
    }
    early.add(socket)
    socket.once('close', () => early.delete(socket))
  }

  #admit(socket: Socket): void {
    if (!this.#entrance.gate.admits(this.#entrance.connections())) return this.#turnAway(socket)
    const address = plainAddress(socket.remoteAddress ?? '')
    const { balancers } = this.#terms
    if (balancers === undefined) this.#serve(socket, address, socket.localPort ?? 0)
    else this.#acceptProxied(socket, address, balancers)
  }

  /** Only the named balancers may connect, and each must say for whom (proxy-protocol.txt, section 2: never optional). */
  #acceptProxied(socket: Socket, peer: string, balancers: AddressRanges): void {
    if (!balancers.contains(peer)) {
      socket.destroy()
      return
    }
    const { deadlines, config } = this.#traffic
    const proxied = new ProxiedSocket(socket, deadlines, config.timeouts.head, (header) => {
      this.#connections.delete(proxied)
      this.#serve(socket, header.source?.address ?? peer, header.destinationPort ?? socket.localPort ?? 0)
    })
    this.#hold(socket, proxied)
  }

  #serve(socket: Socket, address: string, port: number): void {
    if (this.#entrance.gate.countsClients && !this.#enter(socket, address)) return this.#turnAway(socket)
    const { tls } = this.#terms
    if (tls === undefined) this.#speak(socket, socket, { address, port, scheme: 'http' })
    else this.#secure(socket, tls, { address, port, scheme: 'https' })
  }

  /** Counts a client's connection, unless it has too many. Those a trusted proxy makes are many clients'. */
  #enter(socket: Socket, address: string): boolean {
    if (this.#traffic.trusted.contains(address)) return true
    const { gate } = this.#entrance
    const client = gate.entered(address)
    if (client === undefined) return false
    socket.once('close', () => gate.left(client))
    return true
  }

  #turnAway(socket: Socket): void {
    const { balancers, tls } = this.#terms
    const inClear = balancers === undefined && tls === undefined
    if (inClear) socket.end(FULL, () => socket.destroy())
    else socket.destroy()
  }

  #secure(socket: Socket, tls: TlsListener, origin: Omit<Origin, 'trusted'>): void {
    const { deadlines, config } = this.#traffic
    const opening = new TlsOpening(socket, tls, deadlines, config.timeouts.head, {
      secured: (secure) => {
        this.#connections.delete(opening)
        secure.on('error', () => secure.destroy())
        this.#speak(secure, socket, origin)
      },
      failed: () => this.#entrance.gate.refuse('handshake'),
    })
    this.#hold(socket, opening)
  }

  /** `beneath` is the connection itself, where TLS is spoken over it. */
  #speak(socket: Socket, beneath: Socket, { address, port, scheme }: Omit<Origin, 'trusted'>): void {
    const origin: Origin = { address, port, scheme, trusted: this.#traffic.trusted.contains(address) }
    this.#hold(beneath, new ClientConnection(this.#traffic, socket, origin, beneath))
  }

  #hold(socket: Socket, connection: OpenConnection): void {
    this.#connections.add(connection)
    socket.once('close', () => this.#left(connection))
    if (this.#grace !== undefined) connection.drain(this.#grace)
  }

  #left(connection: OpenConnection): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#emptied?.()
  }
}

function termsOf(config: ListenConfig, secrets: TlsSecrets): ListenerTerms {
  const { proxyProtocolFrom, tls } = config
  return {
    config,
    balancers: proxyProtocolFrom && addressRanges(proxyProtocolFrom),
    tls: tls.length === 0 ? undefined : new TlsListener(tls, secrets),
    secrets,
  }
}

/** Clients that all lose their connection at once would all come back at once. */
function spread(grace: Milliseconds): Milliseconds {
  return grace * (0.5 + Math.random() / 2)
}
