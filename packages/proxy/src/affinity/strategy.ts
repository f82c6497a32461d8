import type { MaybePromise, SessionKey, StoreBudget } from '@sticky/store'

import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'

/** How a session is recognised and begun. One file per strategy; `registry.ts` lists them. */
export interface AffinityStrategy {
  /**
   * Reads only: a request never creates a row. Never rejects for want of a store: it does then without. `budget` is how long the
   * exchange waits for the store, here and in what its session does; unlimited by default.
   */
  locate(request: RequestHead, client: Client, uri: MatchedUri, budget?: StoreBudget): MaybePromise<Session>

  /** Takes what is ours alone out of a request that another strategy recognised, be it of the pool that this one sent it on to. */
  conceal?(request: OutgoingRequest): void

  /** Gives a request that another strategy of the chain recognised the form in which that backend of the pool knows it. */
  adapt?(request: OutgoingRequest, to: Backend): void
}

/** Who sent the request. */
export interface Client {
  /** Its address, as far as trusted proxies and PROXY protocol tell. */
  readonly address: string
  /** Did the request come over TLS, to us or to a trusted proxy? */
  readonly secure: boolean
}

/** What the route that matched says about sessions of the URIs it matches. */
export interface MatchedUri {
  /** The path that all of them begin with, `/` or `/shop`: gorouter's context path. */
  readonly contextPath: string
  /** WebSphere's AffinityCookie: the cookie that carries session ids there, where the route names one. */
  readonly sessionCookie: string | undefined
  /** WebSphere's AffinityURLIdentifier: the path parameter that does. */
  readonly sessionParameter: string | undefined
}

/** The whole site, of which nothing is said. */
export const wholeSite: MatchedUri = { contextPath: '/', sessionCookie: undefined, sessionParameter: undefined }

/** What a strategy decides by itself: another pool serves the request, or nobody does. */
export type Verdict =
  | { readonly pool: string }
  | { readonly refuse: { readonly status: number; readonly text: string } }

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
  /** How the request was recognised, or why not, for people: `session-cookie: cookie sticky names …`. Only `explain` reads it. */
  readonly reason: string
  /** Undefined: the balancer decides. */
  readonly verdict?: Verdict | undefined
  /** What the client is told when no home can serve; undefined: what the pool does with such sessions is done. */
  readonly whenAway?: RefusalCode | undefined
  /** A home that carries more than so many times the mean load of its pool is left; undefined: it is kept. */
  readonly maxSkew?: number | undefined
  /** Once the response is served: is its body to be heard before it leaves? */
  readonly awaitsBody?: boolean | undefined

  /** Changes what is sent to that backend; called anew for each attempt, on a fresh copy. */
  dispatched?(to: Backend, request: OutgoingRequest): void

  /**
   * Before the response head leaves: bind, set or drop cookies. `by` is where the session is to live: the backend that answered, or
   * the home that it stood in for this once. True: it took the session. Never rejects for want of a store.
   */
  served(by: Backend, response: ResponseHead): MaybePromise<boolean>

  /** Before the first piece of the response's body leaves, if `awaitsBody`: it may name the session. The piece is lent. */
  heard?(by: Backend, piece: Buffer): MaybePromise<void>
}

/** What a strategy may change of the request on its way to a backend. */
export interface OutgoingRequest {
  target: string
  /** The Cookie field to send; undefined for none. */
  cookie: string | undefined
  /** The header lines besides Host, Cookie and those we write, each ended by CR LF. */
  lines: string
}

/**
 * Request side: N no cookie, I invalid, D known but its backend is away, V valid, E idle age passed, O lifetime passed, U not used.
 * Response side: N nothing, I inserted, U updated, P provided by the backend, D deleted.
 */
export type PersistenceCode = `${'N' | 'I' | 'D' | 'V' | 'E' | 'O' | 'U'}${'N' | 'I' | 'U' | 'P' | 'D'}`
