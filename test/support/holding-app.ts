import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An application that answers when it is told to, and knows its own concurrency. */
export class HoldingApp implements AsyncDisposable {
  readonly id: string
  readonly #held: ServerResponse[] = []
  readonly #server: Server
  readonly #waiting = new Set<() => void>()

  private constructor(id: string) {
    this.id = id
    this.#server = createServer((request, response) => {
      if (request.url === '/now') return void response.setHeader('X-Backend', id).end(id)
      this.#held.push(response)
      response.on('close', () => this.#forget(response))
      this.#wake()
    })
  }

  static async start(id: string): Promise<HoldingApp> {
    const app = new HoldingApp(id)
    app.#server.listen(0, '127.0.0.1')
    await once(app.#server, 'listening')
    return app
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Requests in it now. */
  get inFlight(): number {
    return this.#held.length
  }

  /** Resolves at the next change of `inFlight`. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        resolve()
      }
      this.#waiting.add(wake)
    })
  }

  /** Answers the oldest request it holds, with a cookie of its own. */
  release(): void {
    this.#unanswered[0]?.setHeader('Set-Cookie', `JSESSIONID=${this.id}; Path=/`).end(this.id)
  }

  releaseAll(): void {
    for (const response of this.#unanswered) response.end(this.id)
  }

  get #unanswered(): ServerResponse[] {
    return this.#held.filter(({ writableEnded }) => !writableEnded)
  }

  #forget(response: ServerResponse): void {
    this.#held.splice(this.#held.indexOf(response), 1)
    this.#wake()
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
