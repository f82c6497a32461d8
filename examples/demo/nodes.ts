/** A node of the demo. */
export interface DemoNode {
  readonly name: string
  /** Where shoppers connect. */
  readonly url: string
  /** Where its admin API is. */
  readonly admin: string
}

/** Two nodes over one store, until they are disposed. */
export interface DemoNodes extends AsyncDisposable {
  readonly nodes: readonly [DemoNode, DemoNode]
  /** Where sessions are kept, for the screen. */
  readonly store: string
}

/** What two nodes are started with. */
export interface NodesOptions {
  readonly environment: DemoEnvironment
  readonly ports: readonly [Ports, Ports]
  /** Gives up the start. */
  readonly signal: AbortSignal
}

/** Where a node shall listen. */
export interface Ports {
  readonly listen: string
  readonly admin: string
}

/** The configuration both nodes run. */
export const configuration: URL = new URL('./sticky.yaml', import.meta.url)

/** What the configuration takes from its environment: the store, and where the applications are. */
export type DemoEnvironment = Readonly<Record<'DEMO_STORE' | 'CART_A' | 'CART_B' | 'CART_C', string>>
