import { clusterScripts } from './cluster-scripts.ts'
import { newsMessage } from './news.ts'
import { byIdThenStart } from './node-order.ts'
import { RedisBarriers } from './redis-barriers.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisLink, RedisLinks } from './redis-link.ts'
import type { NewsFeed } from './redis-news-feed.ts'
import { RedisOrders } from './redis-orders.ts'
import type {
  BackendOrder,
  BackendWish,
  ClusterTable,
  Membership,
  Milliseconds,
  NodeAnnouncement,
  NodeRow,
} from './store.ts'

/** How long a node counts as live without a sign of life, and how often it gives one. */
export interface LeaseTerms {
  readonly lease: Milliseconds
  readonly heartbeat: Milliseconds
}

/** Nodes under leases by Redis' clock, the values they share, what operators want of backends, and barriers. */
export class RedisClusterTable implements ClusterTable {
  readonly #link: RedisLink
  readonly #keys: RedisKeys
  readonly #terms: LeaseTerms
  readonly #feed: NewsFeed
  readonly #orders: RedisOrders
  readonly #barriers: RedisBarriers

  /** `isServing`: may what this process holds be read again before it is used? */
  constructor(links: RedisLinks, keys: RedisKeys, terms: LeaseTerms, feed: NewsFeed, isServing: () => boolean) {
    // All that is here has one hash tag.
    this.#link = links.at(keys.nodes())
    this.#keys = keys
    this.#terms = terms
    this.#feed = feed
    this.#orders = new RedisOrders(this.#link, keys)
    this.#barriers = new RedisBarriers(this.#link, keys, feed, isServing)
  }

  /** Resolves after the first attempt, even a vain one: the node is announced as soon as the store is there. */
  async join(node: NodeAnnouncement): Promise<Membership> {
    const membership = new RedisMembership(this.#link, this.#keys.nodes(), this.#terms, node)
    await membership.beat()
    return membership
  }

  async nodes(): Promise<readonly NodeRow[]> {
    const announced = (await this.#link.run(clusterScripts.nodes, [this.#keys.nodes()], [])) as Buffer[]
    return announced.map((text) => parseNode(String(text), this.#terms.lease)).sort(byIdThenStart)
  }

  async secret(name: string, proposal: string): Promise<string> {
    const key = this.#keys.secret(name)
    // A full store still tells what it has.
    const [held, kept] = await Promise.allSettled([
      this.#link.call('get', [key]),
      this.#link.call('set', [key, proposal, 'NX', 'GET']),
    ])
    if (held.status === 'fulfilled' && held.value !== null) return String(held.value)
    if (kept.status === 'rejected') throw kept.reason
    return kept.value === null ? proposal : String(kept.value)
  }

  order(pool: string, backend: string, wish: BackendWish): Promise<BackendOrder> {
    return this.#orders.change(pool, backend, wish)
  }

  orders(known: readonly BackendOrder[] = []): Promise<readonly BackendOrder[]> {
    return this.#orders.all(known)
  }

  onOrders(listener: () => void): void {
    this.#feed.onNews(({ kind }) => kind === 'orders' && listener())
  }

  tellRecovery(pool: string, backend: string): Promise<void> {
    return this.#feed.publish(newsMessage({ kind: 'recovery', pool, backend }))
  }

  onRecovery(listener: (pool: string, backend: string) => void): void {
    this.#feed.onNews((news) => news.kind === 'recovery' && listener(news.pool, news.backend))
  }

  raiseBarrier(): Promise<string> {
    return this.#barriers.raise()
  }

  onBarrier(listener: (barrier: string) => void): void {
    this.#feed.onNews((news) => news.kind === 'barrier' && listener(news.barrier))
  }

  reached(barrier: string): Promise<void> {
    return this.#barriers.reached(barrier)
  }

  passBarrier(barrier: string, instance: string): Promise<void> {
    return this.#barriers.pass(barrier, instance)
  }

  passed(barrier: string): Promise<ReadonlySet<string>> {
    return this.#barriers.passed(barrier)
  }
}

class RedisMembership implements Membership {
  readonly #link: RedisLink
  readonly #nodes: string
  readonly #lease: Milliseconds
  readonly #member: string
  readonly #timer: NodeJS.Timeout
  readonly #availability: { off(): void }
  #node: NodeAnnouncement
  #left = false

  constructor(link: RedisLink, nodes: string, { lease, heartbeat }: LeaseTerms, node: NodeAnnouncement) {
    this.#link = link
    this.#nodes = nodes
    this.#lease = lease
    this.#member = `${node.id}/${node.instance}`
    this.#node = node
    this.#timer = setInterval(() => this.beat(), heartbeat).unref()
    this.#availability = link.onAvailability((available) => available && this.beat())
  }

  async beat(): Promise<void> {
    if (this.#left) return
    const args = [this.#member, this.#lease, JSON.stringify({ ...this.#node, leased: this.#lease })]
    await this.#link.run(clusterScripts.join, [this.#nodes], args).catch(() => {})
  }

  async announce(node: NodeAnnouncement): Promise<void> {
    this.#node = node
    await this.beat()
  }

  /** Leaving is a courtesy: without it, or without a store, the lease lapses. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#left = true
    clearInterval(this.#timer)
    this.#availability.off()
    await this.#link.call('hdel', [this.#nodes, this.#member]).catch(() => {})
  }
}

/** `usual` is for how long a node has leased that does not say so. */
function parseNode(text: string, usual: Milliseconds): NodeRow {
  const space = text.indexOf(' ')
  const lease = Number(text.slice(0, space))
  const { leased = usual, ...node } = JSON.parse(text.slice(space + 1)) as NodeAnnouncement & { leased?: Milliseconds }
  return { ...node, lease, heard: lease - leased }
}
