import type { Milliseconds } from '@sticky/store'

import type { KeyringData } from '../affinity/keyring.ts'
import type { Config } from '../config/config.ts'
import type { NamedStanding } from '../upstream/standings.ts'
import type { WorkerReport } from './worker-report.ts'

/** What a node's workers are started with; plain data, so that it can cross processes. */
export interface WorkerOrder {
  readonly config: Config
  readonly keyring: KeyringData
  /** The cluster's `fingerprint` secret. */
  readonly fingerprint: string
  /** What operators and health checks say of backends. */
  readonly standings: readonly NamedStanding[]
}

/** The workers of a node, seen as one: embedded in its process, or processes of their own. */
export interface DataPlane extends AsyncDisposable {
  /** Where clients connect, as `host:port`, in the order of the configuration. */
  readonly addresses: readonly string[]
  /** Workers that serve now. */
  readonly serving: number
  /** Workers started again after they ended by themselves. */
  readonly restarts: number
  /** Asks every worker; one that does not answer soon is left out. */
  reports(): Promise<readonly WorkerReport[]>
  /** Tells every worker which keys to seal and open with from now on. */
  rekey(keyring: KeyringData): void
  /** Tells every worker all that operators and health checks say of backends. */
  place(standings: readonly NamedStanding[]): void
  /** Stops accepting and ends what is in flight, cutting it when the time is up. */
  drain(within: Milliseconds): Promise<void>
}
