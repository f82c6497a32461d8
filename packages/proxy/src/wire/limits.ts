/** How large a head may be. Defaults are in `config/defaults.ts`. */
export interface HeadLimits {
  /** Bytes, start line included. */
  readonly head: number
  readonly fields: number
  /** Bytes of the request target. */
  readonly target: number
}

/** Backends are trusted further than clients, but not without end. */
export const RESPONSE_LIMITS: HeadLimits = { head: 64 * 1024, fields: 200, target: 0 }
