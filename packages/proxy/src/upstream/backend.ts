/** One application instance of a pool. */
export interface Backend {
  readonly id: string
  readonly pool: string
  /** A non-negative integer; at 0 it keeps its sessions and gets no newcomers. */
  readonly weight: number
  readonly scheme: 'http' | 'https'
  /** Looked up at each new connection. */
  readonly hostname: string
  readonly port: number
  /** `hostname[:port]` as a Host field names it. */
  readonly authority: string
  readonly health: BackendHealth
}

/** Passive ejection's verdict on a backend; `failures.ts` writes it, balancing reads it. */
export interface BackendHealth {
  /** May an exchange be sent there now? True too for the one exchange that may probe an ejected backend. */
  readonly canServe: boolean
}
