import type { CartPage } from '../demo/cart-application.ts'
import { CartBrowser } from '../demo/cart-browser.ts'

/** Somebody with a browser who goes on shopping whatever breaks, and knows what belongs in the cart. */
export class SteadyShopper {
  readonly #nodes: readonly string[]
  readonly #browser = new CartBrowser()
  readonly #bought: string[] = []
  #turn: number
  /** Where the cart is; undefined before the first answer. */
  application: string | undefined
  /** Was everything that was ever put into the cart in it, at each look? */
  isIntact = true

  /** Comes to the nodes in turn, beginning with that one. */
  constructor(nodes: readonly string[], turn: number) {
    this.#nodes = nodes
    this.#turn = turn
  }

  /** How many items are in the cart. */
  get items(): number {
    return this.#bought.length
  }

  /** Puts one more item into the cart, and checks all of it. */
  async buy(): Promise<void> {
    const item = `item ${this.#bought.length}`
    this.#judge(await this.#ordered(item), item)
  }

  async #ordered(item: string): Promise<CartPage> {
    try {
      return await this.#ask(item)
    } catch {
      // Nobody knows whether it arrived. As people do: look into the cart, and put it in if it is missing.
      const page = await this.#ask()
      return page.cart.at(-1) === item ? page : await this.#ask(item)
    }
  }

  #judge({ application, cart }: CartPage, item: string): void {
    this.#bought.push(item)
    this.application = application
    this.isIntact &&= cart.join() === this.#bought.join()
  }

  /** Asks one node; the next one where no connection is made. */
  async #ask(item?: string): Promise<CartPage> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#browser.ask(this.#nodes[this.#turn++ % this.#nodes.length]!, item)
      } catch (error) {
        const { syscall } = error as NodeJS.ErrnoException
        if (syscall !== 'connect' || attempt === this.#nodes.length) throw error
      }
    }
  }
}
