import type { KeyringData } from '../affinity/keyring.ts'
import type { Config } from '../config/config.ts'
import type { DrainTerms } from '../traffic/traffic.ts'
import type { NamedStanding } from '../upstream/standings.ts'
import type { NodeSecrets } from './certificates.ts'
import type { WorkerReport } from './worker-report.ts'

/** What a node's workers are started with; plain data, so that it can cross processes. */
export interface WorkerOrder {
  readonly config: Config
  readonly keyring: KeyringData
  /** The cluster's `fingerprint` secret. */
  readonly fingerprint: string
  /** Was the store away when the node started? Then its workers do not wait for it either. */
  readonly storeAway?: boolean | undefined
  readonly secrets: NodeSecrets
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
  /** Tells every worker what to use over TLS from now on. */
  secure(secrets: NodeSecrets): void
  /** Tells every worker all that operators and health checks say of backends. */
  place(standings: readonly NamedStanding[]): void
  /** Resolves when every worker has placed that and its store has reached the barrier; false: one did not say so soon. */
  reach(barrier: string): Promise<boolean>
  /** Serves by that configuration, in every worker, from when this resolves; rejects with StartFailure, and none does, when one cannot. */
  adopt(config: Config): Promise<void>
  /** Replaces every worker, one after the other, each by one that serves before it drains; rejects with StartFailure when one cannot start. */
  restart(terms: DrainTerms): Promise<void>
  /** Lets what is underway end, and cuts what is left when the time is up. */
  drain(terms: DrainTerms): Promise<void>
}
