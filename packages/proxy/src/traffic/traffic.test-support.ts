import { EventEmitter, once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

import { MemoryStore } from '@sticky/store'
import { newcomer } from '../affinity/sessions.test-support.ts'
import type { Session } from '../affinity/strategy.ts'
import { createBalancer } from '../balancing/balancer.ts'
import { Queue } from '../balancing/queue.ts'
import { RetryBudget } from '../balancing/retry-budget.ts'
import { heedingLimits } from '../balancing/room.ts'
import type { Config, PoolConfig, TimeoutConfig } from '../config/config.ts'
import { poolConfig } from '../config/parts.test-support.ts'
import { routeTable } from '../routing/route-table.ts'
import type { Pool, Topology } from '../routing/topology.ts'
import type { Backend, BackendTls } from '../upstream/backend.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { backendOn, patience } from '../upstream/transport.test-support.ts'
import type { InFlight, ResponseSink, Transport } from '../upstream/transport.ts'
import type { Origin } from '../wire/forwarding.ts'
import { RESPONSE_LIMITS } from '../wire/limits.ts'
import { Malformed } from '../wire/malformed.ts'
import { MovedField } from '../wire/moved-field.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import { parseResponseHead } from '../wire/response-head.ts'
import { addressRanges } from './address-ranges.ts'
import { keyPair, type TestCertificate, tlsSecrets } from './certificates.test-support.ts'
import { ClientConnection } from './client-connection.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import { OpenTunnels } from './open-tunnels.ts'
import { RequestIds } from './request-ids.ts'
import { type OpenTraffic, openTraffic } from './server.ts'
import type { Traffic } from './traffic.ts'

export interface TestTraffic extends AsyncDisposable {
  readonly port: number
  readonly config: Config
  readonly topology: Topology
  readonly traffic: OpenTraffic
  readonly store: MemoryStore
  readonly backends: readonly Backend[]
  readonly queue: Queue
  readonly records: ExchangeRecord[]
  /** Why connections to backends were not secure. */
  readonly insecure: readonly string[]
  /** Resolves with the record of the next exchange that ends. */
  nextRecord(): Promise<ExchangeRecord>
}

/** Where a backend is: a port of 127.0.0.1, or more than that. */
export type BackendPlace =
  | number
  | {
      readonly port: number
      readonly scheme?: 'http' | 'https'
      readonly hostname?: string
      readonly tls?: BackendTls
      readonly limit?: number
    }

export interface TestTrafficOptions {
  readonly backends: readonly BackendPlace[]
  readonly timeouts?: Partial<TimeoutConfig>
  readonly limits?: Partial<Config['limits']>
  readonly trustedProxies?: readonly string[]
  readonly proxyProtocolFrom?: readonly string[]
  readonly session?: Session
  readonly pool?: Partial<PoolConfig>
  /** Whose certificates the listener shows. */
  readonly tls?: readonly TestCertificate[]
  readonly descriptors?: number
}

/** A worker's traffic on loopback, in front of the backends on those ports, without affinity unless a session is given. */
export async function testTraffic(options: TestTrafficOptions): Promise<TestTraffic> {
  const store = new MemoryStore()
  const records: ExchangeRecord[] = []
  const insecure: string[] = []
  const waiting: ((record: ExchangeRecord) => void)[] = []
  const pool = testPool(options, store)
  const config = testConfig(options)
  const topology = topologyOf(pool)
  const traffic = await openTraffic({
    config,
    topology,
    store,
    observe(exchange) {
      const record = snapshot(exchange)
      records.push(record)
      waiting.shift()?.(record)
    },
    failed(error) {
      throw error
    },
    secrets: tlsSecrets(options.tls ?? []),
    descriptors: options.descriptors,
    insecure: (backend, reason) => insecure.push(`${backend.id}: ${reason}`),
  })
  return {
    port: traffic.addresses[0]!.port,
    config,
    topology,
    traffic,
    store,
    backends: pool.backends,
    queue: pool.queue,
    records,
    insecure,
    nextRecord: () => new Promise((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () => traffic[Symbol.asyncDispose](),
  }
}

function snapshot(record: ExchangeRecord): ExchangeRecord {
  const { status, refusal, retries, backend, bytesSent, bytesReceived, tunnel, client, requestId } = record
  const { queued, persistence } = record
  const getters = { backend, client, queued, persistence }
  return { ...record, status, refusal, retries, bytesSent, bytesReceived, tunnel, requestId, ...getters }
}

const anything = { host: undefined, path: undefined, pattern: undefined }

/** One topology for everything: all requests go to the pool. */
function topologyOf(pool: Pool): Topology {
  return {
    routes: routeTable([{ asks: anything, to: pool, among: undefined, whenDrained: 'refuse' }], {
      routeMatch: 'first',
      vhostPort: 'host-header',
    }),
    pools: new Map([['p', pool]]),
    fallback: undefined,
  }
}

function testPool(options: TestTrafficOptions, store: MemoryStore): Pool {
  const backends = options.backends.map(testBackend)
  const byId = new Map(backends.map((backend) => [backend.id, backend]))
  const session = options.session ?? newcomer
  const first = {
    take(candidates: readonly Backend[]) {
      const [taken] = candidates
      store.load.begin(taken!.pool, taken!.id)
      return taken
    },
  }
  const policy = backends.some(({ limit }) => limit !== undefined) ? heedingLimits(first, store.load) : first
  const config = poolConfig('p', [], options.pool)
  const clock = () => performance.now()
  const { onUnavailable } = config
  const parts = { backends, byId, policy, load: store.load, whenAway: policy, onUnavailable, clock: () => 0 }
  return {
    id: 'p',
    config,
    backends,
    byId,
    since: 0,
    strategy: { locate: () => session },
    balancer: createBalancer(parts),
    balancerAmong: (some) => createBalancer({ ...parts, backends: some }),
    hostHeader: 'preserve',
    maxBody: Number.POSITIVE_INFINITY,
    replayBody: 0,
    removed: undefined,
    queue: new Queue('p', { load: store.load, clock, random: Math.random }),
    retries: new RetryBudget(config.retry),
    moved: config.movedHeader === undefined ? undefined : new MovedField(config.movedHeader),
  }
}

function testBackend(place: BackendPlace, index: number): Backend {
  const { port, scheme = 'http', hostname = '127.0.0.1' } = typeof place === 'number' ? { port: place } : place
  const { tls, limit } = typeof place === 'number' ? {} : place
  return { ...backendOn(port), id: `b${index}`, scheme, hostname, authority: `${hostname}:${port}`, tls, limit }
}

const noLimits: Config['limits'] = {
  head: 16_384,
  fields: 100,
  target: 8_192,
  body: undefined,
  connections: undefined,
  connectionsPerClient: undefined,
  minRate: 0,
}

function testConfig(options: TestTrafficOptions): Config {
  return {
    listen: [
      {
        address: { host: '127.0.0.1', port: 0 },
        proxyProtocolFrom: options.proxyProtocolFrom,
        tls: (options.tls ?? []).map(keyPair),
      },
    ],
    admin: undefined,
    node: { id: 'n1', workers: 1 },
    store: {
      url: 'memory:',
      budget: 50,
      commandTimeout: 1_000,
      lease: 6_000,
      heartbeat: 2_000,
      prefix: 'sticky',
      shards: 1,
    },
    secrets: [],
    accessLog: false,
    timeouts: { ...patience, ...options.timeouts },
    limits: { ...noLimits, ...options.limits },
    shutdownTimeout: 5_000,
    drain: { grace: 1_000 },
    watch: false,
    trustedProxies: options.trustedProxies ?? [],
    pools: [],
    routes: [],
    routeMatch: 'first',
    vhostPort: 'host-header',
    fallback: undefined,
  }
}

/** An exchange whose backend is played by hand. */
export class PlayedExchange implements InFlight {
  readonly request: ParsedRequest
  readonly sink: ResponseSink
  /** What `write` answers. */
  takes = true
  body = ''
  ended = false
  aborted = false
  resumed = 0

  constructor(request: ParsedRequest, sink: ResponseSink) {
    this.request = request
    this.sink = sink
  }

  write(piece: Buffer): boolean {
    this.body += piece.toString('latin1')
    return this.takes
  }

  end(): void {
    this.ended = true
  }

  resume(): void {
    this.resumed++
  }

  abort(): void {
    this.aborted = true
  }

  /** Gives the head of a response, as text with its empty line. */
  head(text: string): void {
    const head = parseResponseHead(text.slice(0, -2), RESPONSE_LIMITS)
    if (head instanceof Malformed) throw new Error(head.reason)
    if (head.status === 101) this.sink.upgraded(head)
    else this.sink.head(head)
  }
}

export interface PlayedTraffic extends AsyncDisposable {
  readonly port: number
  readonly store: MemoryStore
  readonly exchanges: readonly PlayedExchange[]
  readonly records: readonly ExchangeRecord[]
  /** Resolves with the exchange of that number, once it was begun. */
  begun(index: number): Promise<PlayedExchange>
}

/** Client connections on loopback in front of a backend that is played by hand, and takes bodies at once. */
export async function playedTraffic(timeouts: Partial<TimeoutConfig> = {}): Promise<PlayedTraffic> {
  const options = { backends: [1], timeouts }
  const store = new MemoryStore()
  const exchanges: PlayedExchange[] = []
  const records: ExchangeRecord[] = []
  const deadlines = new Deadlines()
  const begin = new EventEmitter()
  const transport: Transport = {
    send(_backend, request, _lines, sink) {
      const played = new PlayedExchange(request, sink)
      exchanges.push(played)
      if (request.framing !== 0) sink.ready(played)
      begin.emit('begun')
      return played
    },
    [Symbol.dispose]: () => {},
  }
  const traffic: Traffic = {
    config: testConfig(options),
    topology: topologyOf(testPool(options, store)),
    store,
    transport,
    deadlines,
    trusted: addressRanges([]),
    requestIds: new RequestIds(),
    tunnels: new OpenTunnels(store.sessions),
    observe: (record) => records.push(snapshot(record)),
    failed(error) {
      throw error
    },
  }
  const origin: Origin = { address: '127.0.0.1', port: 80, scheme: 'http', trusted: false }
  const backend = await rawBackend((socket) => new ClientConnection(traffic, socket, origin))
  return {
    port: backend.port,
    store,
    exchanges,
    records,
    async begun(index) {
      while (exchanges[index] === undefined) await once(begin, 'begun')
      return exchanges[index]
    },
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]()
      deadlines[Symbol.dispose]()
    },
  }
}

/** A backend made of what it does with each connection. */
export interface RawBackend extends AsyncDisposable {
  readonly port: number
  readonly server: Server
  /** All connections it ever had. */
  readonly sockets: readonly Socket[]
}

export async function rawBackend(
  serve: (socket: Socket, index: number) => void,
  secrets?: TlsOptions,
): Promise<RawBackend> {
  const sockets: Socket[] = []
  const accept = (socket: Socket) => {
    sockets.push(socket)
    socket.on('error', () => socket.destroy())
    serve(socket, sockets.length - 1)
  }
  const server = secrets === undefined ? createServer(accept) : createTlsServer(secrets, accept)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    server,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A backend that answers each head it reads with the same bytes. */
export function scriptedBackend(
  answer: string | ((head: string, socket: Socket) => string | undefined),
): Promise<RawBackend> {
  return rawBackend((socket) => {
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 4)
        text = text.slice(end + 4)
        const reply = typeof answer === 'string' ? answer : answer(head, socket)
        if (reply !== undefined) socket.write(reply, 'latin1')
      }
    })
  })
}

/** A backend of Node's own HTTP server. */
export async function httpBackend(serve: RequestListener): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createHttpServer(serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A client's bare connection. */
export class RawClient implements AsyncDisposable {
  readonly socket: Socket
  received = ''
  closed = false
  reset = false
  #wake: (() => void) | undefined

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('data', (bytes) => this.#note(() => (this.received += bytes.toString('latin1'))))
    this.socket.on('error', () => this.#note(() => (this.reset = true)))
    this.socket.on('close', () => this.#note(() => (this.closed = true)))
  }

  #note(change: () => void): void {
    change()
    this.#wake?.()
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** All that was received, once it satisfies the condition. Rejects when the connection closes before. */
  async until(condition: (received: string) => boolean): Promise<string> {
    while (!condition(this.received)) {
      if (this.closed) throw new Error(`the connection closed after ${JSON.stringify(this.received.slice(0, 500))}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.received
  }

  /** All that was received until the connection closed. */
  async toEnd(): Promise<string> {
    while (!this.closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.received
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
    await this.toEnd()
  }
}

/** One request on a connection of its own, and everything that came back. */
export async function exchange(port: number, request: string): Promise<string> {
  await using client = new RawClient(port)
  client.send(request)
  return await client.toEnd()
}
