import { clusterScripts } from './cluster-scripts.ts'
import { newsMessage } from './news.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisLink } from './redis-link.ts'
import type { BackendOrder, BackendWish } from './store.ts'

const asConfigured = '-'

/** What operators want of backends: one hash, a text for each backend that anybody ever said something of. */
export class RedisOrders {
  readonly #link: RedisLink
  readonly #key: string
  readonly #channel: string

  constructor(link: RedisLink, keys: RedisKeys) {
    this.#link = link
    this.#key = keys.orders()
    this.#channel = keys.clusterChanges()
  }

  async change(pool: string, backend: string, { state, weight }: BackendWish): Promise<BackendOrder> {
    const wanted = weight === undefined ? '' : weightText(weight)
    const args = [this.#channel, newsMessage({ kind: 'orders' }), `${pool}/${backend}`, state ?? '', wanted]
    const order = await this.#link.run(clusterScripts.order, [this.#key], args)
    return orderIn(`${pool}/${backend}`, String(order))
  }

  async all(known: readonly BackendOrder[]): Promise<readonly BackendOrder[]> {
    const args = known.flatMap((order) => [`${order.pool}/${order.backend}`, orderText(order)])
    const held = (await this.#link.run(clusterScripts.orders, [this.#key], args)) as Buffer[]
    return Array.from({ length: held.length / 2 }, (_, i) => orderIn(String(held[2 * i]), String(held[2 * i + 1])))
  }
}

function orderText({ version, since, state, weight }: BackendOrder): string {
  return `${version} ${since} ${state} ${weightText(weight ?? null)}`
}

function weightText(weight: number | null): string {
  return weight === null ? asConfigured : String(weight)
}

function orderIn(name: string, text: string): BackendOrder {
  const [pool, backend] = name.split('/') as [string, string]
  const [version, since, state, weight] = text.split(' ') as [string, string, BackendOrder['state'], string]
  return {
    ...{ pool, backend, state },
    weight: weight === asConfigured ? undefined : Number(weight),
    since: Number(since),
    version: Number(version),
  }
}
