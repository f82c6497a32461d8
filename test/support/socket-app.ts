import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Server } from 'socket.io'

/** A Socket.IO server that knows only its own sessions, as one without an adapter does. */
export class SocketApp implements AsyncDisposable {
  readonly id: string
  /** What it had to object to requests, such as `Session ID unknown`. */
  readonly objections: string[] = []
  /** Clients that connected. */
  connections = 0
  readonly #http: HttpServer
  readonly #io: Server

  private constructor(id: string, path: string) {
    this.id = id
    this.#http = createServer()
    this.#io = new Server(this.#http, { path })
    this.#io.engine.on('connection_error', ({ message }: { message: string }) => this.objections.push(message))
    this.#io.on('connection', (socket) => {
      this.connections++
      socket.on('who', (answer: (id: string) => void) => answer(id))
    })
  }

  /** Listens on a port of its own, under that path. */
  static async start(id: string, path = '/socket.io'): Promise<SocketApp> {
    const app = new SocketApp(id, path)
    app.#http.listen(0, '127.0.0.1')
    await once(app.#http, 'listening')
    return app
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.closeAllConnections()
    await this.#io.close()
  }
}
