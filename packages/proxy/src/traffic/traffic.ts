import type { Milliseconds, Store } from '@sticky/store'

import type { Config } from '../config/config.ts'
import type { Topology } from '../routing/topology.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import type { Transport } from '../upstream/transport.ts'
import type { AddressRanges } from './address-ranges.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import type { OpenTunnels } from './open-tunnels.ts'
import type { RequestIds } from './request-ids.ts'

/** How a drain goes. */
export interface DrainTerms {
  /** For so long connections are still accepted: balancers may not have heard yet. */
  readonly accepting: Milliseconds
  /** For so long connections without an exchange are read: their next request may be on the way. */
  readonly grace: Milliseconds
  /** After so long whatever is left is cut. */
  readonly longest: Milliseconds
  /** Others go on accepting from the same sockets: who waits there is theirs. */
  readonly shared: boolean
}

/** What all connections of a worker share. */
export interface Traffic {
  /** Replaced whole, together with the topology. */
  readonly config: Config
  /** Replaced whole; an exchange keeps the one it began with. */
  readonly topology: Topology
  readonly store: Store
  readonly transport: Transport
  readonly deadlines: Deadlines
  readonly trusted: AddressRanges
  readonly requestIds: RequestIds
  readonly tunnels: OpenTunnels
  /** Takes an exchange that is over. */
  observe(record: ExchangeRecord): void
  /** Takes a failure that should not happen: a bug of ours, never a client's or a backend's doing. */
  failed(error: unknown): void
}
