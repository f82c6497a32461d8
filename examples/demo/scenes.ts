import type { DemoNode } from './nodes.ts'
import { Shopper, type Visit } from './shopper.ts'
import { sites } from './sites.ts'

/** One request of the first scene. */
export interface Step extends Visit {
  readonly shopper: string
  readonly node: string
}

/** How many carts came through. */
export interface Tally {
  readonly shoppers: number
  readonly intact: number
}

const items = ['tea', 'bread', 'jam']

/** Three shoppers fill their carts, each request through the other node. */
export async function* fillCarts(nodes: readonly [DemoNode, DemoNode]): AsyncGenerator<Step> {
  const shoppers = ['Ada', 'Bo', 'Cy'].map((name) => new Shopper(name, sites.sticky))
  for (const [round, item] of items.entries()) {
    for (const [turn, shopper] of shoppers.entries()) {
      const node = nodes[(round + turn) % 2]!
      yield { shopper: shopper.name, node: node.name, ...(await shopper.buy(item, node.url)) }
    }
  }
}

/** Twenty shoppers at once, five requests each through both nodes in turn; a cart is intact when every answer was. */
export async function crowd(site: string, nodes: readonly [DemoNode, DemoNode]): Promise<Tally> {
  const shoppers = Array.from({ length: 20 }, (_, n) => new Shopper(`shopper ${n}`, site))
  const carts = await Promise.all(shoppers.map((shopper) => staysIntact(shopper, nodes)))
  return { shoppers: shoppers.length, intact: carts.filter(Boolean).length }
}

async function staysIntact(shopper: Shopper, nodes: readonly [DemoNode, DemoNode]): Promise<boolean> {
  let isIntact = true
  for (let turn = 0; turn < 5; turn++) {
    const visit = await shopper.buy(`item ${turn}`, nodes[turn % 2]!.url)
    isIntact &&= visit.isIntact
  }
  return isIntact
}
