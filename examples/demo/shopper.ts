import { CartBrowser } from './cart-browser.ts'

/** What came of one request. */
export interface Visit {
  readonly item: string
  readonly application: string
  readonly cart: readonly string[]
  /** Is everything this shopper ever put in there, and nothing else? */
  readonly isIntact: boolean
}

/** Somebody with a browser: remembers what belongs in the cart. */
export class Shopper {
  readonly name: string
  readonly #browser: CartBrowser
  readonly #bought: string[] = []

  /** `host` is the site's name, which chooses the route. */
  constructor(name: string, host: string) {
    this.name = name
    this.#browser = new CartBrowser(host)
  }

  /** Puts an item in the cart, through that node. */
  async buy(item: string, node: string): Promise<Visit> {
    this.#bought.push(item)
    const { application, cart } = await this.#browser.ask(node, item)
    return { item, application, cart, isIntact: cart.join() === this.#bought.join() }
  }
}
