import { MemoryBarriers } from './memory-barriers.ts'
import { MemoryOrders } from './memory-orders.ts'
import { byIdThenStart } from './node-order.ts'
import type {
  BackendOrder,
  BackendWish,
  ClusterTable,
  Membership,
  Milliseconds,
  NodeAnnouncement,
  NodeRow,
} from './store.ts'

/** What a lease shows that cannot lapse: whoever could outlive the node is gone with it. */
const lease: Milliseconds = 6000

/** The cluster that is one process. */
export class MemoryClusterTable implements ClusterTable {
  readonly #now: () => Milliseconds
  readonly #nodes = new Map<string, NodeAnnouncement>()
  readonly #secrets = new Map<string, string>()
  readonly #orders: MemoryOrders
  readonly #barriers = new MemoryBarriers()
  readonly #onRecovery = new Set<(pool: string, backend: string) => void>()

  constructor(now: () => Milliseconds) {
    this.#now = now
    this.#orders = new MemoryOrders(now)
  }

  async join(node: NodeAnnouncement): Promise<Membership> {
    const member = `${node.id}/${node.instance}`
    const announce = async (announced: NodeAnnouncement) => {
      this.#nodes.set(member, announced)
    }
    await announce(node)
    return {
      announce,
      [Symbol.asyncDispose]: async () => {
        this.#nodes.delete(member)
      },
    }
  }

  async nodes(): Promise<readonly NodeRow[]> {
    const heard = this.#now()
    return [...this.#nodes.values()].map((node) => ({ ...node, heard, lease: heard + lease })).sort(byIdThenStart)
  }

  async secret(name: string, proposal: string): Promise<string> {
    const secret = this.#secrets.get(name) ?? proposal
    this.#secrets.set(name, secret)
    return secret
  }

  async order(pool: string, backend: string, wish: BackendWish): Promise<BackendOrder> {
    return this.#orders.change(pool, backend, wish)
  }

  /** This store forgets nothing that anybody else could know. */
  async orders(): Promise<readonly BackendOrder[]> {
    return this.#orders.all
  }

  onOrders(listener: () => void): void {
    this.#orders.onChange(listener)
  }

  async tellRecovery(pool: string, backend: string): Promise<void> {
    for (const listener of this.#onRecovery) listener(pool, backend)
  }

  onRecovery(listener: (pool: string, backend: string) => void): void {
    this.#onRecovery.add(listener)
  }

  async raiseBarrier(): Promise<string> {
    return this.#barriers.raise()
  }

  onBarrier(listener: (barrier: string) => void): void {
    this.#barriers.onRaised(listener)
  }

  /** Nothing is told late where there is but one process. */
  async reached(): Promise<void> {}

  async passBarrier(barrier: string, instance: string): Promise<void> {
    this.#barriers.pass(barrier, instance)
  }

  async passed(barrier: string): Promise<ReadonlySet<string>> {
    return this.#barriers.passed(barrier)
  }
}
