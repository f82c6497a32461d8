import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'

import type { CartPage } from './cart-application.ts'

/** What came of one request. */
export interface Visit {
  readonly item: string
  readonly application: string
  readonly cart: readonly string[]
  /** Is everything this shopper ever put in there, and nothing else? */
  readonly isIntact: boolean
}

/** Somebody with a browser: keeps cookies, remembers what belongs in the cart, and comes by a fresh connection each time. */
export class Shopper {
  readonly name: string
  readonly #host: string
  readonly #cookies = new Map<string, string>()
  readonly #bought: string[] = []

  /** `host` is the site's name, which chooses the route. */
  constructor(name: string, host: string) {
    this.name = name
    this.#host = host
  }

  /** Puts an item in the cart, through that node. */
  async buy(item: string, node: string): Promise<Visit> {
    this.#bought.push(item)
    const { application, cart } = await this.#post(item, node)
    return { item, application, cart, isIntact: cart.join() === this.#bought.join() }
  }

  async #post(item: string, node: string): Promise<CartPage> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { host: this.#host, ...(cookie && { cookie }), 'content-type': 'application/x-www-form-urlencoded' }
    const sent = request(`${node}/cart`, { method: 'POST', headers, agent: false }).end(
      new URLSearchParams({ item }).toString(),
    )
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    for (const set of response.headers['set-cookie'] ?? []) this.#keep(set)
    if (response.statusCode !== 200) throw new Error(`${node} answered ${response.statusCode}`)
    return (await json(response)) as CartPage
  }

  #keep(set: string): void {
    const [name, value] = set.split(';', 1)[0]!.split('=', 2)
    this.#cookies.set(name!, value!)
  }
}
