import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a cart application answers. */
export interface CartPage {
  /** Which application answered. */
  readonly application: string
  readonly cart: readonly string[]
}

/** An application as most are: carts in its own memory, found by its own session cookie. It knows nothing of Sticky. */
export class CartApplication implements AsyncDisposable {
  readonly #name: string
  readonly #carts = new Map<string, string[]>()
  readonly #server: Server

  constructor(name: string) {
    this.#name = name
    this.#server = createServer((request, response) => this.#serve(request, response))
  }

  /** Listens; answers its URL. Port 0: whatever is free. */
  async listen(port: number, host: string): Promise<string> {
    await once(this.#server.listen(port, host), 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((closed) => this.#server.close(closed))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cart = this.#cartOf(request, response)
    const item = new URLSearchParams(await text(request)).get('item')
    if (request.method === 'POST' && item) cart.push(item)
    const page: CartPage = { application: this.#name, cart }
    response.setHeader('content-type', 'application/json').end(`${JSON.stringify(page)}\n`)
  }

  #cartOf(request: IncomingMessage, response: ServerResponse): string[] {
    const id = /(?:^|;\s*)cart=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
    const known = id && this.#carts.get(id)
    if (known) return known
    const [fresh, cart] = [randomUUID(), []]
    this.#carts.set(fresh, cart)
    response.setHeader('set-cookie', `cart=${fresh}; Path=/; HttpOnly`)
    return cart
  }
}
