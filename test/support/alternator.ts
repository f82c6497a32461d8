import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP balancer that knows nothing: each connection goes to the next port. */
export class Alternator implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #turn = 0

  private constructor(ports: readonly number[]) {
    this.#server = createServer((client) =>
      this.#join(client, connect(ports[this.#turn++ % ports.length]!, '127.0.0.1')),
    )
  }

  static async start(ports: readonly number[]): Promise<Alternator> {
    const alternator = new Alternator(ports)
    alternator.#server.listen(0, '127.0.0.1')
    await once(alternator.#server, 'listening')
    return alternator
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections it passed on. */
  get connections(): number {
    return this.#turn
  }

  #join(client: Socket, node: Socket): void {
    for (const [one, other] of [
      [client, node],
      [node, client],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
