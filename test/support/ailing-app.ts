import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

/** How an application can fail: whoever asks for its health is told, and with `answers` everybody. */
export type Ailment = 'status 500' | 'wrong body' | 'silence'

/** An application that can fall ill and recover, on a port that stays the same. */
export class AilingApp implements AsyncDisposable {
  readonly id: string
  /** What its health path shows; undefined: it is well. */
  ailment: Ailment | undefined
  /** What all its other paths show. */
  answers: Ailment | undefined
  /** How long it takes for an answer. */
  delay = 0
  /** Requests it got, those for its health excepted. */
  requests = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0

  private constructor(id: string, tls?: { readonly cert: string; readonly key: string }) {
    const serve = (request: IncomingMessage, response: ServerResponse): void => this.#serve(request, response)
    this.id = id
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(id: string, tls?: { readonly cert: string; readonly key: string }): Promise<AilingApp> {
    const app = new AilingApp(id, tls)
    await app.open()
    return app
  }

  get port(): number {
    return this.#port
  }

  /** Listens again where it listened before. */
  async open(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  /** Refuses connections, as a killed process does. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const asksHealth = request.url === '/healthz'
    const shows = asksHealth ? this.ailment : this.answers
    if (!asksHealth) this.requests++
    request.resume()
    if (shows === 'silence') return
    response.writeHead(shows === 'status 500' ? 500 : 200, { 'x-app': this.id })
    const body = shows === 'wrong body' ? 'not so good' : 'all is well'
    if (this.delay === 0 || asksHealth) response.end(body)
    else setTimeout(() => response.end(body), this.delay)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close()
  }
}
