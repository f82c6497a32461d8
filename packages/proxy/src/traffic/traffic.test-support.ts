import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

import { MemoryStore } from '@sticky/store'

import type { Session } from '../affinity/strategy.ts'
import { createBalancer } from '../balancing/balancer.ts'
import type { Config, TimeoutConfig } from '../config/config.ts'
import { routeTable } from '../routing/route-table.ts'
import type { Pool } from '../routing/topology.ts'
import type { Backend } from '../upstream/backend.ts'
import { backendOn, patience } from '../upstream/transport.test-support.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import { type OpenTraffic, openTraffic } from './server.ts'

export interface TestTraffic extends AsyncDisposable {
  readonly port: number
  readonly traffic: OpenTraffic
  readonly store: MemoryStore
  readonly backends: readonly Backend[]
  readonly records: ExchangeRecord[]
  /** Resolves with the record of the next exchange that ends. */
  nextRecord(): Promise<ExchangeRecord>
}

/** Where a backend is: a port of 127.0.0.1, or more than that. */
export type BackendPlace =
  | number
  | { readonly port: number; readonly scheme?: 'http' | 'https'; readonly hostname?: string }

export interface TestTrafficOptions {
  readonly backends: readonly BackendPlace[]
  readonly timeouts?: Partial<TimeoutConfig>
  readonly limits?: Partial<Config['limits']>
  readonly trustedProxies?: readonly string[]
  readonly proxyProtocolFrom?: readonly string[]
  readonly session?: Session
}

const nobody: Session = { known: false, home: [], key: undefined, persistence: 'NN', served: () => false }

/** A worker's traffic on loopback, in front of the backends on those ports, without affinity unless a session is given. */
export async function testTraffic(options: TestTrafficOptions): Promise<TestTraffic> {
  const store = new MemoryStore()
  const records: ExchangeRecord[] = []
  const waiting: ((record: ExchangeRecord) => void)[] = []
  const pool = testPool(options, store)
  const traffic = await openTraffic({
    config: testConfig(options),
    topology: {
      routes: routeTable([{ pattern: { host: undefined, path: undefined }, to: pool }]),
      pools: new Map([['p', pool]]),
    },
    store,
    observe(exchange) {
      const record = snapshot(exchange)
      records.push(record)
      waiting.shift()?.(record)
    },
    failed(error) {
      throw error
    },
  })
  return {
    port: traffic.addresses[0]!.port,
    traffic,
    store,
    backends: pool.backends,
    records,
    nextRecord: () => new Promise((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () => traffic[Symbol.asyncDispose](),
  }
}

function snapshot(record: ExchangeRecord): ExchangeRecord {
  const { status, refusal, retries, backend, bytesSent, bytesReceived, tunnel, client, requestId } = record
  return { ...record, status, refusal, retries, backend, bytesSent, bytesReceived, tunnel, client, requestId }
}

function testPool(options: TestTrafficOptions, store: MemoryStore): Pool {
  const backends = options.backends.map(testBackend)
  const byId = new Map(backends.map((backend) => [backend.id, backend]))
  const session = options.session ?? nobody
  const policy = {
    take(candidates: readonly Backend[]) {
      const first = candidates[0]!
      store.load.begin(first.pool, first.id)
      return first
    },
  }
  return {
    id: 'p',
    backends,
    byId,
    strategy: { locate: () => session },
    balancer: createBalancer({ backends, byId, policy, load: store.load, admits: () => true }),
    hostHeader: 'preserve',
  }
}

function testBackend(place: BackendPlace, index: number): Backend {
  const { port, scheme = 'http', hostname = '127.0.0.1' } = typeof place === 'number' ? { port: place } : place
  return { ...backendOn(port), id: `b${index}`, scheme, hostname, authority: `${hostname}:${port}` }
}

function testConfig(options: TestTrafficOptions): Config {
  return {
    listen: [{ address: { host: '127.0.0.1', port: 0 }, proxyProtocolFrom: options.proxyProtocolFrom }],
    admin: undefined,
    node: { id: 'n1', workers: 1 },
    store: { url: 'memory:', commandTimeout: 1_000, lease: 6_000, heartbeat: 2_000, prefix: 'sticky', shards: 1 },
    secrets: [],
    accessLog: false,
    timeouts: { ...patience, ...options.timeouts },
    limits: { head: 16_384, fields: 100, target: 8_192, body: undefined, ...options.limits },
    shutdownTimeout: 5_000,
    trustedProxies: options.trustedProxies ?? [],
    pools: [],
    routes: [],
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
