import { clusterScripts } from './cluster-scripts.ts'
import { byIdThenStart } from './node-order.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisLink, RedisLinks } from './redis-link.ts'
import type { ClusterTable, Membership, Milliseconds, NodeAnnouncement, NodeRow } from './store.ts'

/** How long a node counts as live without a sign of life, and how often it gives one. */
export interface LeaseTerms {
  readonly lease: Milliseconds
  readonly heartbeat: Milliseconds
}

/** Nodes under leases by Redis' clock, and the values they share. */
export class RedisClusterTable implements ClusterTable {
  readonly #link: RedisLink
  readonly #keys: RedisKeys
  readonly #terms: LeaseTerms

  constructor(links: RedisLinks, keys: RedisKeys, terms: LeaseTerms) {
    // Nodes and secrets have one hash tag.
    this.#link = links.at(keys.nodes())
    this.#keys = keys
    this.#terms = terms
  }

  /** Resolves after the first attempt, even a vain one: the node is announced as soon as the store is there. */
  async join(node: NodeAnnouncement): Promise<Membership> {
    const membership = new RedisMembership(this.#link, this.#keys.nodes(), this.#terms, node)
    await membership.beat()
    return membership
  }

  async nodes(): Promise<readonly NodeRow[]> {
    const announced = (await this.#link.run(clusterScripts.nodes, [this.#keys.nodes()], [])) as Buffer[]
    return announced.map(parseNode).sort(byIdThenStart)
  }

  async secret(name: string, proposal: string): Promise<string> {
    const held = await this.#link.call('set', [this.#keys.secret(name), proposal, 'NX', 'GET'])
    return held === null ? proposal : String(held)
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
    const args = [this.#member, this.#lease, JSON.stringify(this.#node)]
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

function parseNode(announced: Buffer): NodeRow {
  const text = String(announced)
  const space = text.indexOf(' ')
  return { ...(JSON.parse(text.slice(space + 1)) as NodeAnnouncement), lease: Number(text.slice(0, space)) }
}
