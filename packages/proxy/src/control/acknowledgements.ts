import { setTimeout as delay } from 'node:timers/promises'

import type { ClusterTable, Milliseconds, NodeRow } from '@sticky/store'

import type { Log } from './log.ts'
import { unlessAway } from './store-absence.ts'

const patience: Milliseconds = 2_000
const gathering: Milliseconds = 5
const longestPause: Milliseconds = 50

/** What a node's part in acknowledging is made from. */
export interface AcknowledgingNode {
  readonly id: string
  readonly instance: string
  readonly cluster: ClusterTable
  readonly log: Log
  /** Resolves when all that came before the barrier is in force in every worker; false: one does not say so. */
  settle(barrier: string): Promise<boolean>
}

/** Who has acknowledged what operators changed: this node does, and asks the others when it was the one to change something. */
export class Acknowledgements {
  readonly #node: AcknowledgingNode
  #next: Promise<readonly string[]> | undefined

  constructor(node: AcknowledgingNode) {
    this.#node = node
    node.cluster.onBarrier((barrier) => {
      unlessAway(this.#acknowledge(barrier)).catch((err) => node.log.error({ err }, 'cluster table failed'))
    })
  }

  /** The ids of live nodes on which what was changed before this call is not known to be in force after at most two seconds. */
  missing(): Promise<readonly string[]> {
    // Whoever changes many things at a time asks once for all of them.
    this.#next ??= delay(gathering).then(() => {
      this.#next = undefined
      return this.#ask()
    })
    return this.#next
  }

  async #ask(): Promise<readonly string[]> {
    const { cluster, id } = this.#node
    const nodes = await unlessAway(cluster.nodes())
    const barrier = await unlessAway(cluster.raiseBarrier())
    if (barrier === null) return (nodes ?? [{ id }]).map((node) => node.id)
    return await this.#waitFor(barrier)
  }

  async #acknowledge(barrier: string): Promise<void> {
    const { cluster, instance } = this.#node
    if (await this.#node.settle(barrier)) await cluster.passBarrier(barrier, instance)
  }

  async #waitFor(barrier: string): Promise<readonly string[]> {
    const end = performance.now() + patience
    for (let pause = 1; ; pause = Math.min(2 * pause, longestPause)) {
      await delay(pause)
      const missing = await unlessAway(this.#missingAt(barrier))
      if (missing?.length === 0) return []
      if (performance.now() >= end) return (missing ?? [this.#node]).map(({ id }) => id)
    }
  }

  async #missingAt(barrier: string): Promise<readonly NodeRow[]> {
    const { cluster } = this.#node
    const [nodes, passed] = await Promise.all([cluster.nodes(), cluster.passed(barrier)])
    return nodes.filter(({ instance }) => !passed.has(instance))
  }
}
