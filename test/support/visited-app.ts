import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { WebSocketServer } from 'ws'

/** What it answers to a visit. */
export interface Visit {
  readonly app: string
  /** How many visits this session has made, this one included. */
  readonly count: number
}

/** An application that counts each session's visits in its own memory, echoes over WebSocket, and streams until it is told to end. */
export class VisitedApp implements AsyncDisposable {
  readonly id: string
  readonly #counts = new Map<string, number>()
  readonly #streams = new Set<ServerResponse>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(id: string) {
    this.id = id
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    const webSockets = new WebSocketServer({ server: this.#server })
    webSockets.on('connection', (socket) => {
      socket.on('error', () => {})
      socket.on('message', (message) => socket.send(`${id}: ${message}`))
    })
  }

  static async start(id: string): Promise<VisitedApp> {
    const app = new VisitedApp(id)
    app.#server.listen(0, '127.0.0.1')
    await once(app.#server, 'listening')
    return app
  }

  get backend(): { readonly id: string; readonly url: string } {
    return { id: this.id, url: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` }
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Says so in each open stream. */
  say(words: string): void {
    for (const stream of this.#streams) stream.write(words)
  }

  endStreams(): void {
    for (const stream of this.#streams) stream.end()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      for await (const _ of request);
    } catch {
      return void response.destroy()
    }
    if (request.url === '/stream') return this.#stream(response)
    const session = this.#sessionOf(request, response)
    const visit: Visit = { app: this.id, count: (this.#counts.get(session) ?? 0) + 1 }
    this.#counts.set(session, visit.count)
    response.end(JSON.stringify(visit))
  }

  #stream(response: ServerResponse): void {
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
    response.write('begun')
  }

  #sessionOf(request: IncomingMessage, response: ServerResponse): string {
    const known = /(?:^|;\s*)app=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
    if (known !== undefined && this.#counts.has(known)) return known
    const fresh = randomUUID()
    response.setHeader('Set-Cookie', `app=${fresh}; Path=/; HttpOnly`)
    return fresh
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
