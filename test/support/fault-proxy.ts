import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

import { Lane } from './fault-lane.ts'

/**
 * A TCP proxy that fails on command: it stands between a client and a real server and cuts, swallows, delays or refuses.
 *
 * `await using proxy = await FaultProxy.to({ port })` or `{ path }`; connect to `proxy.port`.
 */
export class FaultProxy implements AsyncDisposable {
  /** Accepts new connections and resets them at once while true; `refuse` does not even accept. */
  refuses = false
  /** Milliseconds each chunk of a request is held back. */
  requestDelay = 0
  /** Milliseconds each chunk of a reply is held back. */
  replyDelay = 0
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #target: Target
  #requestsFlow = true
  #repliesFlow = true
  /** How much more of replies passes on each new connection before it is cut. */
  #replyBytes = Number.POSITIVE_INFINITY
  #port = 0

  private constructor(target: Target) {
    this.#target = target
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
  }

  static async to(target: Target): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await proxy.accept()
    return proxy
  }

  /** Stays the same for ever. */
  get port(): number {
    return this.#port
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Holds each chunk back for so long, on its way there and on its way back; 0 ends it. */
  slow(latency: number): void {
    this.requestDelay = latency
    this.replyDelay = latency
  }

  /** Cuts connections, those that stand and those to come, once so many bytes of replies have passed; `flow` ends it. */
  cutAfter(bytes: number): void {
    this.#replyBytes = bytes
    for (const { replies } of this.#pairs) replies.left = bytes
  }

  /** Nobody listens any more: connections are refused until `accept`. Those that stand go on. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return
    this.#server.close()
    await new Promise(setImmediate)
  }

  /** Listens, after `refuse` on the same port as before. */
  async accept(): Promise<void> {
    if (this.#server.listening) return
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Resets every connection; new ones are accepted unless `refuses`. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
  }

  /** Accepts and stays silent in both directions, holding what is sent, until `flow`. */
  blackhole(): void {
    this.#requestsFlow = false
    this.#repliesFlow = false
    this.#apply()
  }

  /** Lets requests through and holds every reply until `flow`, so that they come late. */
  holdReplies(): void {
    this.#repliesFlow = false
    this.#apply()
  }

  /** Lets requests through, then cuts the connections once the server's reply to them has come: the reply is lost. */
  async cutAtNextReply(): Promise<void> {
    this.#repliesFlow = false
    this.#apply()
    const arrivals = [...this.#pairs].map(({ server }) => once(server, 'readable'))
    await Promise.race(arrivals)
    this.cut()
    this.flow()
  }

  /** Ends `blackhole`, `holdReplies` and `cutAfter`: what was held goes on its way. */
  flow(): void {
    this.cutAfter(Number.POSITIVE_INFINITY)
    this.#requestsFlow = true
    this.#repliesFlow = true
    this.#apply()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    if (this.refuses) {
      client.resetAndDestroy()
      return
    }
    const server = connect({ ...(this.#target as { port: number }), allowHalfOpen: true, noDelay: true })
    const requests = new Lane(client, server, () => ({ flows: this.#requestsFlow, delay: this.requestDelay }))
    const replies = new Lane(server, client, () => ({ flows: this.#repliesFlow, delay: this.replyDelay }))
    replies.left = this.#replyBytes
    const pair = { client, server, requests, replies }
    this.#pairs.add(pair)
    const drop = () => {
      this.#pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on('error', drop).on('close', drop)
  }

  #apply(): void {
    for (const { requests, replies } of this.#pairs) {
      requests.pump()
      replies.pump()
    }
  }
}

/** Where the real server listens. */
export type Target = { readonly port: number; readonly host?: string } | { readonly path: string }

interface Pair {
  readonly client: Socket
  readonly server: Socket
  readonly requests: Lane
  readonly replies: Lane
}
