import type { MaybePromise, SessionKey } from '@sticky/store'

import type { Backend } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'

/** How a session is recognised and begun. One file per strategy; `registry.ts` lists them. */
export interface AffinityStrategy {
  /** Reads only: a request never creates a row. Rejects with StoreUnavailable when the row is needed and cannot be had. */
  locate(request: RequestHead, client: Client): MaybePromise<Session>

  /** Takes what is ours alone out of a request that another strategy of the chain recognised. */
  conceal?(request: OutgoingRequest): void
}

/** Who sent the request. */
export interface Client {
  /** Its address, as far as trusted proxies and PROXY protocol tell. */
  readonly address: string
  /** Did the request come over TLS, to us or to a trusted proxy? */
  readonly secure: boolean
}

/** A client's conversation with one application, as one exchange sees it. */
export interface Session {
  /** Did this strategy recognise the request? */
  readonly known: boolean
  /** Ids of the backends it may live on, best first; empty for a newcomer. */
  readonly home: readonly string[]
  /** Its row's key, for the access log and admin API; undefined until it has one. */
  readonly key: SessionKey | undefined
  /** HAProxy's two letters: how the request's cookie was found, and what became of it in the response. */
  readonly persistence: PersistenceCode

  /** Changes what is sent to that backend; called anew for each attempt, on a fresh copy. */
  dispatched?(to: Backend, request: OutgoingRequest): void

  /** Before the response head leaves: bind, set or drop cookies. True: it took the session. Never rejects for want of a store. */
  served(by: Backend, response: ResponseHead): MaybePromise<boolean>
}

/** What a strategy may change of the request on its way to a backend. */
export interface OutgoingRequest {
  target: string
  /** The Cookie field to send; undefined for none. */
  cookie: string | undefined
}

/**
 * Request side: N no cookie, I invalid, D known but its backend is away, V valid, E idle age passed, O lifetime passed, U not used.
 * Response side: N nothing, I inserted, U updated, P provided by the backend, D deleted.
 */
export type PersistenceCode = `${'N' | 'I' | 'D' | 'V' | 'E' | 'O' | 'U'}${'N' | 'I' | 'U' | 'P' | 'D'}`
