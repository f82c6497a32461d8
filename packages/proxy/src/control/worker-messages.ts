import type { Milliseconds } from '@sticky/store'

import type { KeyringData } from '../affinity/keyring.ts'
import type { NamedStanding } from '../upstream/standings.ts'
import type { WorkerOrder } from './data-plane.ts'
import type { WorkerReport } from './worker-report.ts'

/** What the primary tells a worker. */
export type ToWorker =
  | { readonly kind: 'start'; readonly order: WorkerOrder }
  | { readonly kind: 'report'; readonly question: number }
  | { readonly kind: 'rekey'; readonly keyring: KeyringData }
  | { readonly kind: 'place'; readonly standings: readonly NamedStanding[] }
  | { readonly kind: 'drain'; readonly within: Milliseconds }

/** What a worker tells the primary. */
export type FromWorker =
  | { readonly kind: 'serving'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'reported'; readonly question: number; readonly report: WorkerReport }
