/** The homes that rows of one pool name: a known backend's is the same array each time. */
export class Homes {
  readonly #homes: ReadonlyMap<string, readonly string[]>

  constructor(backends: Iterable<string>) {
    this.#homes = new Map([...backends].map((backend) => [backend, [backend]]))
  }

  at(backend: string): readonly string[] {
    return this.#homes.get(backend) ?? [backend]
  }

  /** Does this node know the backend? */
  know(backend: string | undefined): boolean {
    return backend !== undefined && this.#homes.has(backend)
  }
}
