import { askForSlots, askStranger, type SlotRange } from './redis-cluster-map.ts'
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import type { LinkState, RedisLink, RedisLinks } from './redis-link.ts'
import { stateOfAll } from './redis-link-state.ts'
import type { Redirection } from './redis-redirection.ts'
import { type SlotHost, SlotLink } from './redis-slot-link.ts'
import { slotCount, slotOf } from './redis-slots.ts'
import { type ClusterTarget, type RedisAddress, urlOf } from './redis-url.ts'
import type { Milliseconds } from './store.ts'

/** How often the cluster is asked who has which slots, and how often while a slot has nobody who answers. */
const interval: Milliseconds = 5000
const intervalWhenAmiss: Milliseconds = 200
/** The time between a hint that the map is wrong and the question. */
const soon: Milliseconds = 20

/** A master of the cluster. */
export interface Master {
  readonly address: RedisAddress
  readonly url: string
  readonly connection: RedisConnection
  /** The lowest of its slots when the cluster was asked last; undefined: it had none. */
  readonly lowest: number | undefined
}

/**
 * The ways to a Redis Cluster: one connection per master, each with its own run id, clock and breaker, so that one that
 * fails takes only its own slots along. Its replicas are asked for nothing but who has which slots.
 */
export class RedisClusterLinks implements RedisLinks, SlotHost {
  readonly commandTimeout: Milliseconds
  readonly #target: ClusterTarget
  readonly #options: RedisConnectionOptions
  readonly #masters = new Map<string, OpenMaster>()
  readonly #owners = new Array<OpenMaster | undefined>(slotCount).fill(undefined)
  readonly #links = new Map<number, SlotLink>()
  readonly #onAvailability = new Set<(available: boolean) => void>()
  readonly #onMap = new Set<() => void>()
  #known: readonly RedisAddress[]
  #whyUnknown = 'no node of the Redis Cluster has answered yet'
  #available = false
  #timer: NodeJS.Timeout | undefined
  #asking = false
  #isAgreed = true
  #closed = false

  /** Begins to connect. */
  constructor(target: ClusterTarget, options: RedisConnectionOptions) {
    this.commandTimeout = options.commandTimeout ?? 1000
    this.#target = target
    this.#options = options
    this.#known = target.nodes
    this.#ask()
  }

  get available(): boolean {
    return [...this.#masters.values()].some(({ connection }) => connection.available)
  }

  get state(): LinkState {
    const states = [...this.#masters.values()].map(({ connection }) => connection.state)
    return stateOfAll(states, this.#whyUnknown)
  }

  /** The masters that have slots. */
  *masters(): Generator<Master> {
    for (const master of this.#masters.values()) if (master.lowest !== undefined) yield master
  }

  /** The master that has the key's slot, as far as is known. */
  masterOf(key: string): Master | undefined {
    return this.#owners[slotOf(key)]
  }

  at(key: string): RedisLink {
    const slot = slotOf(key)
    let link = this.#links.get(slot)
    if (!link) {
      link = new SlotLink(slot, this, this.#owners[slot]?.connection)
      this.#links.set(slot, link)
    }
    return link
  }

  onAvailability(listener: (available: boolean) => void): { off(): void } {
    this.#onAvailability.add(listener)
    return { off: () => this.#onAvailability.delete(listener) }
  }

  /** Calls back each time the cluster has told who has which slots. */
  onMap(listener: () => void): void {
    this.#onMap.add(listener)
  }

  /** Asks the cluster soon who has which slots: there was a sign that it has changed. */
  doubt(): void {
    this.#askIn(soon)
  }

  redirected(slot: number, from: RedisConnection, { kind, address }: Redirection): RedisConnection {
    const asked = [...this.#masters.values()].find(({ connection }) => connection === from)
    const master = this.#master({ ...address, host: address.host || (asked?.address.host ?? '') })
    if (kind === 'MOVED') {
      this.#give(slot, master)
      this.doubt()
    }
    return master.connection
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await Promise.all([...this.#masters.values()].map(({ connection }) => connection[Symbol.asyncDispose]()))
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.#closed) return
    this.#asking = true
    try {
      this.#adopt(await this.#askAnybody())
    } catch (failure) {
      // Whoever wants something meanwhile hears that nobody has its slot; the next question is soon.
      this.#whyUnknown = `no node of the Redis Cluster tells who has which slots: ${reasonOf(failure)}`
    }
    this.#asking = false
    this.#askIn(this.#isWell() ? interval : intervalWhenAmiss)
  }

  #askIn(delay: Milliseconds): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => this.#ask(), delay * (0.8 + Math.random() * 0.4)).unref()
  }

  /** A master that answers, else whoever is known: replicas too, for one of them may be the next master. */
  async #askAnybody(): Promise<readonly SlotRange[]> {
    const answering = [...this.#masters.values()].filter(({ connection }) => connection.available)
    const asked = answering[Math.floor(Math.random() * answering.length)]
    if (asked) return askForSlots(asked.connection, asked.address)
    const options = { ...this.#options, name: `${this.#options.name}-discovery` }
    return Promise.any(this.#known.map((address) => askStranger(address, this.#target, options)))
  }

  #adopt(ranges: readonly SlotRange[]): void {
    if (this.#closed) return
    this.#known = [...this.#target.nodes, ...ranges.flatMap(({ nodes }) => nodes)].filter(isFirst)
    this.#isAgreed = true
    const named = new Set<OpenMaster>()
    for (const { first, last, nodes } of ranges) {
      if (nodes[0] === undefined) continue
      const master = this.#master(nodes[0])
      named.add(master)
      for (let slot = first; slot <= last; slot++) this.#offer(slot, master)
    }
    this.#number()
    for (const master of [...this.#masters.values()]) {
      if (master.lowest === undefined && !named.has(master)) this.#drop(master)
    }
    for (const listener of this.#onMap) listener()
  }

  /** Whoever was asked may not have heard yet that a master died: one that answers says itself what is not its own. */
  #offer(slot: number, master: OpenMaster): void {
    const owner = this.#owners[slot]
    if (owner === master) return
    if (owner?.connection.available && !master.connection.available) this.#isAgreed = false
    else this.#give(slot, master)
  }

  #number(): void {
    for (const master of this.#masters.values()) master.lowest = undefined
    for (const [slot, owner] of this.#owners.entries()) if (owner) owner.lowest ??= slot
  }

  #give(slot: number, master: OpenMaster): void {
    if (this.#owners[slot] === master) return
    this.#owners[slot] = master
    this.#links.get(slot)?.follow(master.connection)
  }

  #master(address: RedisAddress): OpenMaster {
    const name = `${address.host}:${address.port}`
    const known = this.#masters.get(name)
    if (known) return known
    const url = urlOf(address, this.#target)
    const master = { address, url, connection: new RedisConnection(url, this.#options), lowest: undefined }
    this.#masters.set(name, master)
    this.#watch(master)
    return master
  }

  #watch({ connection }: OpenMaster): void {
    connection.onReady(() => this.#tell(connection, (link) => link.ready()))
    connection.onLost(() => {
      this.#tell(connection, (link) => link.lost())
      this.doubt()
    })
    connection.onAvailability(() => {
      this.#tell(connection, (link) => link.availabilityChanged())
      this.#availabilityChanged()
      this.doubt()
    })
  }

  #tell(connection: RedisConnection, tell: (link: SlotLink) => void): void {
    for (const link of this.#links.values()) if (link.master === connection) tell(link)
  }

  #availabilityChanged(): void {
    const { available } = this
    if (available === this.#available) return
    this.#available = available
    for (const listener of this.#onAvailability) listener(available)
  }

  #drop(master: OpenMaster): void {
    for (const [name, each] of this.#masters) if (each === master) this.#masters.delete(name)
    void master.connection[Symbol.asyncDispose]()
    this.#availabilityChanged()
  }

  #isWell(): boolean {
    const owners = new Set(this.#owners)
    return this.#isAgreed && [...owners].every((owner) => owner?.connection.available)
  }
}

interface OpenMaster extends Master {
  lowest: number | undefined
}

function reasonOf(failure: unknown): string {
  if (failure instanceof AggregateError) return reasonOf(failure.errors[0])
  return failure instanceof Error ? failure.message : String(failure)
}

function isFirst({ host, port }: RedisAddress, at: number, all: readonly RedisAddress[]): boolean {
  return all.findIndex((other) => other.host === host && other.port === port) === at
}
