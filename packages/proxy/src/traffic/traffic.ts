import type { Milliseconds, Store } from '@sticky/store'

import type { Config } from '../config/config.ts'
import type { Topology } from '../routing/topology.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import type { Transport } from '../upstream/transport.ts'
import type { AddressRanges } from './address-ranges.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import type { RequestIds } from './request-ids.ts'

/** How long a connection without an exchange is still read when its worker drains: its next request may be on the way. */
export const DRAIN_GRACE: Milliseconds = 1_000

/** What all connections of a worker share. */
export interface Traffic {
  readonly config: Config
  /** Replaced whole; an exchange keeps the one it began with. */
  readonly topology: Topology
  readonly store: Store
  readonly transport: Transport
  readonly deadlines: Deadlines
  readonly trusted: AddressRanges
  readonly requestIds: RequestIds
  /** Connections close after the exchange they are in. */
  readonly draining: boolean
  /** Takes an exchange that is over. */
  observe(record: ExchangeRecord): void
  /** Takes a failure that should not happen: a bug of ours, never a client's or a backend's doing. */
  failed(error: unknown): void
}
