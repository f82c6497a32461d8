import type { Milliseconds } from '@sticky/store'

import type { PemTexts, StatusRange } from '../config/config.ts'

/** One application instance of a pool. */
export interface Backend {
  readonly id: string
  readonly pool: string
  /**
   * A non-negative integer, as configured or as operators have set it since, to be compared with those of its pool at the same
   * moment; at 0 it keeps its sessions and gets no newcomers.
   */
  readonly weight: number
  readonly scheme: 'http' | 'https'
  /** Looked up at each new connection. */
  readonly hostname: string
  readonly port: number
  /** `hostname[:port]` as a Host field names it. */
  readonly authority: string
  /** Takes newcomers only when no other can. */
  readonly backup: boolean
  /** Most exchanges in flight in the whole cluster; undefined: no limit. */
  readonly limit: number | undefined
  readonly patience: Patience
  /** How it is known, if over TLS; undefined: as Node knows servers. */
  readonly tls?: BackendTls | undefined
  readonly health: BackendHealth
}

/** How a backend over TLS is known, and what it is shown. */
export interface BackendTls {
  /** The name its certificate must have; undefined: its host name. */
  readonly serverName: string | undefined
  /** Must somebody who is trusted vouch for it? */
  readonly verified: boolean
  /** Another object whenever a file has changed; undefined: Node's authorities, and no certificate of ours. */
  readonly pems: PemTexts | undefined
}

/** How long a backend may take where that is not as usual. */
export interface Patience {
  /** For a connection; undefined: as usual. */
  readonly connect: Milliseconds | undefined
  /** For the head of an answer; undefined: as usual. */
  readonly response: Milliseconds | undefined
  /** Does it count as a failure of the backend when an answer took too long? A connection alone is no success then. */
  readonly ejects: boolean
  /** Statuses that count as a failure of the backend, which is why a connection alone is no success; none by default. */
  readonly statuses?: readonly StatusRange[] | undefined
}

/** Tells attempts apart: 0 for any but the one that probes an ejected backend. */
export type Attempt = number

/** How a backend is: `drain` keeps its sessions and gets no newcomers, `maint` and `down` get nothing. */
export type BackendState = 'ready' | 'drain' | 'maint' | 'down'

/** What operators and health checks say of a backend. */
export interface Standing {
  readonly state: 'ready' | 'drain' | 'maint'
  /** Do health checks find it well? True where none look. */
  readonly up: boolean
  /** Instead of the configured one; undefined: as configured. */
  readonly weight: number | undefined
}

/** Whether a backend can serve now: what is said of it, and what its failures tell. */
export interface BackendHealth extends PassiveHealth {
  readonly state: BackendState
  /** As configured, or as operators have set it. */
  readonly weight: number
  /** That weight among those of its pool: while one of them begins slowly, all are ten times as large, and that one's less. */
  readonly share: number
  /** May an exchange that `canServe` allows be that of a newcomer? */
  readonly takesNewcomers: boolean
  /** Since when checks, failures or operators have it out, on the process's monotonic clock; undefined: none of them has. */
  readonly awaySince?: Milliseconds | undefined
}

/** Passive ejection's verdict on a backend, and what it is made from. */
export interface PassiveHealth {
  /** May an exchange be sent there now? True too for the one exchange that may probe an ejected backend. */
  readonly canServe: boolean
  readonly ejected: boolean
  /** An exchange is being sent: of an ejected backend it is the probe, unless there is one. */
  attempted(): Attempt
  /** A connection was made or an answer came. */
  succeeded(): void
  /** The attempt said nothing about the backend: the client left, or it was cut short. */
  abandoned(attempt: Attempt): void
  /** No connection was made, or what else counts as a failure of this backend; and what it was, for people. */
  failed(attempt: Attempt, reason?: string): void
}
