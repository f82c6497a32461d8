import type { CheckResource, SessionResource, Versioned } from './admin-api.ts'

/** A header field: its name and its value. */
export type HeaderField = readonly [name: string, value: string]

/** A request to be explained, as a client would send it. Sent as a body, so that its cookies land in no log. */
export interface ExplainQuestion {
  /** GET without. */
  readonly method?: string | undefined
  /** `http://host/path`, sent as it stands; `https://…` came over TLS; a path alone needs a Host field. */
  readonly url: string
  readonly headers?: readonly HeaderField[] | undefined
  /** One more Cookie field. */
  readonly cookie?: string | undefined
  /** Address of who connects; 127.0.0.1 without. */
  readonly client?: string | undefined
  /** What the backend answers besides `200 OK`. */
  readonly responseHeaders?: readonly HeaderField[] | undefined
}

/** What would become of a request now, worked out by the code that routes; nothing was changed to know it. */
export interface Explanation extends Versioned {
  /** Null when it is malformed, as `to` tells. */
  readonly request: ExplainedRequest | null
  /** Null when none matches: then the fallback pool serves it, if there is one. */
  readonly route: ExplainedRoute | null
  /** The pool that serves it: the route's, unless affinity sends the request on to another. */
  readonly pool: string | null
  /** Null when nobody was asked. */
  readonly session: ExplainedSession | null
  readonly to: Destination | ExplainedRefusal
  /** The pool's backends as this node sees them now. */
  readonly backends: readonly ExplainedBackend[]
  /** What the backend would be sent otherwise than the client sent it; null when it is sent nothing. */
  readonly sent: SentChanges | null
  /** Null when no backend answers. */
  readonly response: ResponseChanges | null
  /** Where it would go if that backend did not answer; null when it goes to none. */
  readonly ifAway: Destination | ExplainedRefusal | null
}

/** The request as the wire reads it. */
export interface ExplainedRequest {
  readonly method: string
  readonly target: string
  readonly host: string
  /** The client's address, as trusted proxies tell it. */
  readonly client: string
  readonly secure: boolean
}

/** The route that matched. */
export interface ExplainedRoute {
  /** Its place among the configuration's routes, from 0. */
  readonly index: number
  /** What it asks of requests, by the configuration's keys; what it does not ask is missing. */
  readonly match: {
    readonly host?: readonly string[]
    readonly path?: readonly { readonly path: string }[]
    readonly pattern?: string
  }
}

/** The request's session as affinity tells it. */
export interface ExplainedSession {
  /** Was the request recognised? */
  readonly known: boolean
  /** How, or why not; a line for each strategy that was asked in vain. */
  readonly reason: string
  /** Backend ids, best first. */
  readonly home: readonly string[]
  /** Null when it has none. */
  readonly id: string | null
  /** Its row; null when there is none, or while the store is away. */
  readonly row: SessionResource | null
  /** The access log's `persist` after the answer. */
  readonly persistence: string
}

/** A backend that would serve the request. */
export interface Destination {
  readonly backend: string
  /** `home`: the session lives there; `policy`: the pool's `balance` chose it; `stand-in`: it serves for the session's home. */
  readonly why: 'home' | 'policy' | 'stand-in'
  /** The pool's `balance`, where it chose. */
  readonly policy: string | null
  /** False when one of the other candidates might be chosen just as well. */
  readonly certain: boolean
  /** Whom the policy chose among; a backup is none of them. */
  readonly candidates: readonly string[]
}

/** The answer the client would get of us. */
export interface ExplainedRefusal {
  /** The access log's `refusal`. */
  readonly refusal: string
  readonly status: number
  readonly text: string
}

/** A backend of the pool. */
export interface ExplainedBackend {
  readonly id: string
  readonly weight: number
  /** As in `backends`; each worker ejects for itself. */
  readonly state: 'ready' | 'drain' | 'maint' | 'down'
  /** As in `backends`. */
  readonly check: CheckResource | null
  /** How many of this node's workers have ejected it. */
  readonly ejectedBy: number
  /** In the cluster; null while the store is away. */
  readonly inFlight: number | null
  /** Live sessions in the cluster; null while the store is away. */
  readonly sessions: number | null
}

/** How a message leaves otherwise than it came. Values that could be secrets are written `…`. */
export interface HeadChanges {
  /** Header lines, one for each cookie. */
  readonly removed: readonly string[]
  readonly added: readonly string[]
}

/** What a backend would be sent. */
export interface SentChanges extends HeadChanges {
  readonly target: string
}

/** What a client would be sent. */
export interface ResponseChanges extends HeadChanges {
  /** Does the session begin or go on with this answer? */
  readonly taken: boolean
  /** Would the beginning of its body be read, too? */
  readonly awaitsBody: boolean
}
