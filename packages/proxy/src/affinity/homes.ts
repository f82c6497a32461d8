import type { Milliseconds } from '@sticky/store'

import type { AffinityServices } from './registry.ts'

// Exchanges that began before a change of the configuration bind by what was there then, as do nodes that change a little later.
const SETTLING: Milliseconds = 60_000

/** The homes that rows of one pool name: a known backend's is the same array each time. */
export class Homes {
  readonly #homes: ReadonlyMap<string, readonly string[]>
  readonly #since: Milliseconds

  constructor({ backends, store, since = store.now() }: Pick<AffinityServices, 'backends' | 'store' | 'since'>) {
    this.#homes = new Map([...backends].map((backend) => [backend, [backend]]))
    this.#since = since
  }

  at(backend: string): readonly string[] {
    return this.#homes.get(backend) ?? [backend]
  }

  /** Does this node know the backend? */
  know(backend: string | undefined): boolean {
    return backend !== undefined && this.#homes.has(backend)
  }

  /**
   * May a session whose binding has that version be bound elsewhere? One that was bound later than that to a backend of which this
   * node knows nothing has a home that other nodes have already: a rolling change of configuration must not move it.
   */
  mayLeave(backend: string | undefined, version: number): boolean {
    return this.know(backend) || version < (this.#since + SETTLING) * 1000
  }
}
