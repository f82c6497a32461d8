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

/** Where a node shall listen. */
export interface Ports {
  readonly listen: string
  readonly admin: string
}

/** The configuration both nodes run. */
export const configuration: URL = new URL('./sticky.yaml', import.meta.url)

/** What the configuration takes from its environment: where the applications are. */
export type DemoEnvironment = Readonly<Record<'CART_A' | 'CART_B' | 'CART_C', string>>
