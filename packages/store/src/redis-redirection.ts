import type { RedisAddress } from './redis-url.ts'
import { StoreUnavailable } from './store.ts'

/** What a node of a cluster answers that does not have a slot (for good, or just now): surely without effect. */
export interface Redirection {
  readonly kind: 'MOVED' | 'ASK'
  /** Where to ask; an empty host stands for that of the node that answered. */
  readonly address: RedisAddress
}

/** The redirection in the failure of a command; undefined for any other failure. */
export function redirectionIn(failure: unknown): Redirection | undefined {
  const cause = failure instanceof StoreUnavailable ? failure.cause : undefined
  const [, kind, host, port] = (cause instanceof Error && /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(cause.message)) || []
  if (kind !== 'MOVED' && kind !== 'ASK') return undefined
  return { kind, address: { host: host!, port: Number(port) } }
}
