import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'

import type { CartPage } from './cart-application.ts'

/** A browser that knows the cart alone: keeps cookies, and comes by a fresh connection each time. */
export class CartBrowser {
  readonly #headers: Readonly<Record<string, string>>
  readonly #cookies = new Map<string, string>()

  /** `host` is the site's name, which chooses the route; by default the node's own address. */
  constructor(host?: string) {
    this.#headers = { ...(host && { host }), 'content-type': 'application/x-www-form-urlencoded' }
  }

  /** Looks into the cart through that node, or puts an item in it. Rejects when the answer is not the cart. */
  async ask(node: string, item?: string): Promise<CartPage> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...this.#headers, ...(cookie && { cookie }) }
    const sent = request(`${node}/cart`, { method: item === undefined ? 'GET' : 'POST', headers, agent: false })
    sent.end(item && new URLSearchParams({ item }).toString())
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
