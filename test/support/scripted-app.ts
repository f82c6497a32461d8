import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** What a test has an application answer: header fields by name, and besides them these. */
export interface Answer {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
  /** Milliseconds that it takes. */
  readonly after?: number
}

/** What reached an application, and which one. */
export interface Seen {
  readonly app: string
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** The request field that tells a scripted application what to answer. */
export const ANSWER = 'x-answer'

/** An application instance that answers what each request tells it to, and in its body what it saw unless told otherwise. */
export class ScriptedApp implements AsyncDisposable {
  readonly id: string
  readonly #server: Server
  readonly seen: Seen[] = []

  private constructor(id: string) {
    this.id = id
    this.#server = createServer((request, response) => {
      // Whoever cuts a request short waits for no answer.
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  /** Listens on a port of its own, or on that one. */
  static async start(id: string, port = 0): Promise<ScriptedApp> {
    const app = new ScriptedApp(id)
    app.#server.listen(port, '127.0.0.1')
    await once(app.#server, 'listening')
    return app
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {
      status = 200,
      headers = {},
      body,
      after = 0,
    } = JSON.parse(String(request.headers[ANSWER] ?? '{}')) as Answer
    let received = ''
    for await (const bytes of request) received += bytes
    const { [ANSWER]: _, ...fields } = request.headers
    const seen = { app: this.id, method: request.method!, url: request.url!, headers: fields, body: received }
    this.seen.push(seen)
    if (after > 0) await delay(after)
    response.writeHead(status, { 'x-app': this.id, ...headers })
    response.end(body ?? JSON.stringify(seen))
  }

  /** Closes its port and every connection, as a killed process does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close').catch(() => {})
  }
}
