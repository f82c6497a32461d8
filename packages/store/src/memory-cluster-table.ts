import { byIdThenStart } from './node-order.ts'
import type { ClusterTable, Membership, Milliseconds, NodeAnnouncement, NodeRow } from './store.ts'

/** What a lease shows that cannot lapse: whoever could outlive the node is gone with it. */
const lease: Milliseconds = 6000

/** The cluster that is one process. */
export class MemoryClusterTable implements ClusterTable {
  readonly #now: () => Milliseconds
  readonly #nodes = new Map<string, NodeAnnouncement>()
  readonly #secrets = new Map<string, string>()

  constructor(now: () => Milliseconds) {
    this.#now = now
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
    const ends = this.#now() + lease
    return [...this.#nodes.values()].map((node) => ({ ...node, lease: ends })).sort(byIdThenStart)
  }

  async secret(name: string, proposal: string): Promise<string> {
    const secret = this.#secrets.get(name) ?? proposal
    this.#secrets.set(name, secret)
    return secret
  }
}
