import type { KeyringData } from '../affinity/keyring.ts'
import type { Config } from '../config/config.ts'
import type { DrainTerms } from '../traffic/traffic.ts'
import type { NamedStanding } from '../upstream/standings.ts'
import type { NodeSecrets } from './certificates.ts'
import type { WorkerOrder } from './data-plane.ts'
import type { WorkerReport } from './worker-report.ts'

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly kind: 'start'; readonly order: WorkerOrder }
  | { readonly kind: 'rekey'; readonly keyring: KeyringData }
  | { readonly kind: 'place'; readonly standings: readonly NamedStanding[] }
  | { readonly kind: 'secure'; readonly secrets: NodeSecrets }
  | { readonly kind: 'drain'; readonly terms: DrainTerms }
  | { readonly kind: 'ask'; readonly number: number; readonly question: Question }

/** What the primary asks of a worker; each has its answer in `Answers`. */
export type Question =
  | { readonly of: 'report' }
  /** To make ready for another configuration; `adopt` or `abandon` follows. */
  | { readonly of: 'prepare'; readonly config: Config }
  | { readonly of: 'adopt' }
  | { readonly of: 'abandon' }
  /** To say when its store has reached a barrier. Whatever it was told before is in force then, too. */
  | { readonly of: 'reach'; readonly barrier: string }

/** What a worker answers. */
export interface Answers {
  readonly report: WorkerReport
  /** Why it cannot; undefined: it is ready. */
  readonly prepare: { readonly reason: string | undefined }
  /** Where clients connect from now on. */
  readonly adopt: { readonly addresses: readonly string[] }
  readonly abandon: { readonly addresses: readonly string[] }
  readonly reach: { readonly reached: boolean }
}

/** What a worker tells the primary. */
export type FromWorker =
  | { readonly kind: 'serving'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'answered'; readonly number: number; readonly answer: Answers[keyof Answers] }
  /** It has drained, and this is the last of it. */
  | { readonly kind: 'drained'; readonly report: WorkerReport }
