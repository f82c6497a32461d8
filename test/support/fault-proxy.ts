import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * A TCP proxy that fails on command: it stands between a client and a real server and cuts, swallows or delays.
 *
 * `await using proxy = await FaultProxy.to({ port })` or `{ path }`; connect to `proxy.port`.
 */
export class FaultProxy implements AsyncDisposable {
  /** Refuses new connections while true. */
  refuses = false
  /** Milliseconds each chunk of a reply is held back. */
  replyDelay = 0
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #target: Target
  #requestsFlow = true
  #repliesFlow = true

  private constructor(target: Target) {
    this.#target = target
    this.#server = createServer((client) => this.#accept(client))
  }

  static async to(target: Target): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#pairs.size
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

  /** Ends `blackhole` and `holdReplies`: what was held goes on its way. */
  flow(): void {
    this.#requestsFlow = true
    this.#repliesFlow = true
    this.#apply()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    if (this.refuses) {
      client.resetAndDestroy()
      return
    }
    const server = connect(this.#target as { port: number })
    const pair = { client, server }
    this.#pairs.add(pair)
    const drop = () => {
      this.#pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on('error', drop).on('close', drop)
    client.on('readable', () => this.#requestsFlow && pour(client, server))
    server.on('readable', () => this.#repliesFlow && this.#reply(pair))
  }

  async #reply({ client, server }: Pair): Promise<void> {
    if (this.replyDelay > 0) await delay(this.replyDelay)
    pour(server, client)
  }

  #apply(): void {
    for (const { client, server } of this.#pairs) {
      if (this.#requestsFlow) pour(client, server)
      if (this.#repliesFlow) pour(server, client)
    }
  }
}

/** Where the real server listens. */
export type Target = { readonly port: number; readonly host?: string } | { readonly path: string }

interface Pair {
  readonly client: Socket
  readonly server: Socket
}

function pour(from: Socket, to: Socket): void {
  for (let chunk = from.read(); chunk !== null; chunk = from.read()) if (to.writable) to.write(chunk)
}
