import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Browser } from './browser.ts'

/** Instances of one application that share their carts, so that a session may live on any of them. */
export class CartApps implements AsyncDisposable {
  readonly #servers: readonly Server[]
  readonly #ids: readonly string[]

  private constructor(ids: readonly string[], servers: readonly Server[]) {
    this.#ids = ids
    this.#servers = servers
  }

  static async start(ids: readonly string[]): Promise<CartApps> {
    const carts = new Map<string, number>()
    const servers = ids.map((id) =>
      createServer((request, response) => {
        const cart = request.url ?? '/'
        const items = (carts.get(cart) ?? 0) + 1
        carts.set(cart, items)
        response.end(JSON.stringify({ app: id, items }))
      }),
    )
    for (const server of servers) server.listen(0, '127.0.0.1')
    await Promise.all(servers.map((server) => once(server, 'listening')))
    return new CartApps(ids, servers)
  }

  get backends(): readonly object[] {
    const ports = this.#servers.map((server) => (server.address() as AddressInfo).port)
    return this.#ids.map((id, i) => ({ id, url: `http://127.0.0.1:${ports[i]}` }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.closeAllConnections()
    await Promise.all(this.#servers.map((server) => once(server.close(), 'close')))
  }
}

/** One visit of a shop. */
export interface Visit {
  readonly app: string
  /** Did it begin the shopper's session? */
  readonly isFirst: boolean
  /** On the clock of `performance.now`, as is the next. */
  readonly asked: number
  readonly answered: number
}

let shoppers = 0

/** A client of a shop that knows what must be in its cart. */
export class Shopper {
  readonly #browser = new Browser()
  readonly #cart = `/cart/${++shoppers}`
  #items = 0

  /** Throws when it is not served, or when its cart is not as it left it. */
  async visit(port: number): Promise<Visit> {
    const asked = performance.now()
    const isFirst = this.#items === 0
    const page = await this.#browser.get(port, this.#cart)
    if (page.status !== 200) throw new Error(`${this.#cart}: ${page.status} ${page.body}`)
    const { app, items } = JSON.parse(page.body) as { app: string; items: number }
    if (items !== ++this.#items) throw new Error(`${this.#cart}: ${items} items instead of ${this.#items}`)
    return { app, isFirst, asked, answered: performance.now() }
  }
}

/** Shoppers who visit again and again, any node each time, and newcomers among them, until it is disposed. */
export class Crowd implements AsyncDisposable {
  readonly visits: Visit[] = []
  readonly failures: Error[] = []
  readonly #walks: readonly Promise<void>[]
  #closed = false

  /** `newcomers` is the share of visits by new shoppers, 0 to 1. */
  constructor(shoppers: readonly Shopper[], ports: readonly number[], newcomers: number, atOnce = 8) {
    const free = [...shoppers]
    const walk = async (): Promise<void> => {
      while (!this.#closed) {
        const known = Math.random() < newcomers ? undefined : free.splice(Math.floor(Math.random() * free.length), 1)[0]
        const shopper = known ?? new Shopper()
        try {
          this.visits.push(await shopper.visit(ports[Math.floor(Math.random() * ports.length)]!))
        } catch (error) {
          this.failures.push(error as Error)
        }
        if (known !== undefined) free.push(known)
      }
    }
    this.#walks = Array.from({ length: atOnce }, walk)
  }

  /** The visits that were asked for from that moment on. */
  since(moment: number): readonly Visit[] {
    return this.visits.filter(({ asked }) => asked >= moment)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all(this.#walks)
  }
}
