/** Files in PEM form, relative to the configuration's folder as written, absolute past `load.ts`. */
export interface PemFiles {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** What such files hold. */
export interface PemTexts {
  /** Certificates of authorities. */
  readonly ca: string | undefined
  /** A certificate, then those that lead from it to an authority. */
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** A certificate with its chain, and its key. */
export interface KeyPairConfig {
  readonly cert: string
  readonly key: string
}

/** How backends over TLS are known, and what they are shown; a pool's is what its backends do not say themselves. */
export interface BackendTlsConfig extends PemFiles {
  /** The name its certificate must have, told by SNI; undefined: its host name. */
  readonly serverName: string | undefined
  /** Whoever it is, it is believed. */
  readonly insecure: boolean | undefined
}
