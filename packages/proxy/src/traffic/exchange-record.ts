import type { PersistenceCode } from '../affinity/strategy.ts'

/** What is known of an exchange when it is over: the access log and the metrics are made from it. */
export interface ExchangeRecord {
  readonly requestId: string
  readonly client: string
  readonly method: string
  readonly host: string
  /** Without the query, which may carry secrets. */
  readonly path: string
  /** As sent to the client; 0 when nothing was. */
  readonly status: number
  /** Body bytes. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Milliseconds since 1970. */
  readonly started: number
  /** Milliseconds from the first byte of the request's head to the end of its response, fractions included. */
  readonly duration: number
  /** Milliseconds from dispatch to the backend's head; undefined when there was none. */
  readonly upstreamDuration: number | undefined
  readonly route: number | undefined
  readonly pool: string | undefined
  readonly backend: string | undefined
  /** Attempts after the first. */
  readonly retries: number
  /** Would there have been another, if the pool had not retried so much of late? */
  readonly isRetryDenied: boolean
  /** Milliseconds that it waited for room; undefined: none. */
  readonly queued: number | undefined
  readonly session: string | undefined
  /** What affinity made of the request, and of its response. */
  readonly persistence: PersistenceCode
  /** Why we answered ourselves or cut the response; undefined when the backend's answer was relayed whole. */
  readonly refusal: RefusalCode | undefined
  readonly tunnel: boolean
}

/** Stable codes of the answers we give ourselves, for access log, metrics and docs. */
export type RefusalCode =
  | 'bad-request'
  | 'head-too-large'
  | 'target-too-long'
  | 'head-timeout'
  | 'body-timeout'
  | 'body-too-large'
  | 'not-implemented'
  | 'version-not-supported'
  | 'no-route'
  | 'no-backend'
  | 'all-full'
  | 'home-away'
  | 'session-gone'
  | 'no-instance'
  | 'script-refused'
  | 'backend-refused'
  | 'backend-failed'
  | 'backend-invalid'
  | 'backend-timeout'
  | 'client-gone'
  | 'client-stalled'
  | 'internal'
