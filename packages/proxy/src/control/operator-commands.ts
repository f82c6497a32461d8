import type { BackendResource, PoolQuery, Seconds, SessionResource, Versioned } from './admin-api.ts'

/** What operators can want of a backend: `drain` keeps its sessions and gets no newcomers, `maint` gets nothing. */
export type WantedState = 'ready' | 'drain' | 'maint'

/** What is to change of a backend; what is not mentioned stays. */
export interface BackendChange {
  readonly state?: WantedState | undefined
  /** 0 to 1000; null: as configured again. */
  readonly weight?: number | null | undefined
}

/** Of a change that is in force, but perhaps not everywhere yet. */
export interface Acknowledged {
  /** Ids of live nodes that did not say within two seconds that it is in force in all their workers. */
  readonly unacknowledged: readonly string[]
}

/** A backend after a change. */
export interface BackendChanged extends Versioned, BackendResource, Acknowledged {}

/** Where a session is to live. */
export interface SessionMove {
  readonly backend: string
  /** Only if it still has this version; `version-conflict` when it does not and lives elsewhere. */
  readonly ifVersion?: number | undefined
  /** Close its open WebSockets with 1012, so that their clients connect anew? */
  readonly close?: boolean | undefined
  /** Only tell whether it could move? */
  readonly dryRun?: boolean | undefined
}

/** A session after its move. */
export interface SessionMoved extends SessionResource, Acknowledged {}

/** How a session is to end. */
export interface EndQuery extends PoolQuery {
  /** Close its open WebSockets with 1012? */
  readonly close?: boolean | undefined
}

/** A session that has ended. */
export interface SessionEnded extends Versioned, Acknowledged {
  readonly id: string
  readonly pool: string
}

/** Sessions of one backend, and how to go about changing them. */
export interface BulkSelection extends PoolQuery {
  /** The backend they live on; its pool may be left out where only one has it. */
  readonly from: string
  /** Only sessions not touched for longer. */
  readonly idleGt?: Seconds | undefined
  /** At most so many. */
  readonly limit?: number | undefined
  /** Sessions a second, at most; 500 by default. */
  readonly rate?: number | undefined
  /** Only count them? */
  readonly dryRun?: boolean | undefined
  /** Close their open WebSockets with 1012? */
  readonly close?: boolean | undefined
  /** Why, for `sticky_session_moves_total`; `operator` by default. */
  readonly reason?: 'operator' | 'drain' | undefined
}

/** Sessions to move. */
export interface BulkMove extends BulkSelection {
  /** Their new home; without one they are spread over the backends that take newcomers, the fewest sessions by weight first. */
  readonly to?: string | undefined
}

/** How far a change of many sessions has come; one about every second, and the last one is `done`. */
export interface BulkProgress extends Versioned, Acknowledged {
  readonly done: boolean
  /** Moved or ended; with `dryRun` those that would be. */
  readonly changed: number
  /** Had moved by themselves meanwhile, and were left there. */
  readonly skipped: number
  /** Had ended meanwhile. */
  readonly gone: number
}
