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

/** Passive ejection's verdict on a backend, and what it is made from. */
export interface BackendHealth {
  /** May an exchange be sent there now? True too for the one exchange that may probe an ejected backend. */
  readonly canServe: boolean
  readonly ejected: boolean
  /** An exchange is being sent: of an ejected backend it is the probe. */
  attempted(): void
  /** A connection was made or an answer came. */
  succeeded(): void
  /** The attempt said nothing about the backend: the client left, or it was cut short. */
  abandoned(): void
  connectFailed(): void
}
