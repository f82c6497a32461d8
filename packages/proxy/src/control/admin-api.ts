import type { ConfigChanges } from './config-changes.ts'
import type { ExplainQuestion, Explanation } from './explanation.ts'
import type {
  BackendChange,
  BackendChanged,
  BulkMove,
  BulkProgress,
  BulkSelection,
  EndQuery,
  SessionEnded,
  SessionMove,
  SessionMoved,
  WantedState,
} from './operator-commands.ts'

export type * from './config-changes.ts'
export type * from './explanation.ts'
export type * from './operator-commands.ts'

/**
 * The admin API's one contract: a node serves it over HTTP and JSON, `sticky-cli` and other programs call it.
 *
 * Both ends implement `AdminApi`: the node over its store, a client over `adminRequests`. In JSON durations are numbers of
 * seconds, timestamps are RFC 3339 in UTC, what is unknown now is null, and new fields may appear at any time.
 */
export interface AdminApi {
  /** Live sessions, in no order, as JSON lines; nothing it reads is renewed. Fails before its first session or not cleanly. */
  sessions(query: SessionQuery): AsyncIterable<SessionResource>
  /** One session; undefined (404) when it does not live. `ambiguous-session` when several pools have it and none is named. */
  session(id: string, query: PoolQuery): Promise<SessionResource | undefined>
  /** The sessions a request with this cookie would be recognised as: at most one per pool. */
  findSessions(search: SessionSearch): Promise<SessionList>
  /** Live sessions, counted exactly. */
  countSessions(query: PoolQuery): Promise<SessionCount>
  /** Ends a session on every node; undefined (404) when it did not live. */
  endSession(id: string, query: EndQuery): Promise<SessionEnded | undefined>
  /** Gives a session another home, on every node; undefined (404) when it does not live. */
  moveSession(id: string, move: SessionMove, query: PoolQuery): Promise<SessionMoved | undefined>
  /** Moves the sessions of a backend, page by page, and tells how far it is, as JSON lines. */
  moveSessions(move: BulkMove): AsyncIterable<BulkProgress>
  /** Ends the sessions of a backend likewise. */
  endSessions(selection: BulkSelection): AsyncIterable<BulkProgress>
  /** The application's cookies of a session; undefined (404) when it does not live. */
  cookies(id: string, query: PoolQuery): Promise<CookieList | undefined>
  /** The configured backends with what they carry. */
  backends(query: PoolQuery): Promise<BackendList>
  /** One of them; `no-such-backend` (404) where there is none. */
  backend(pool: string, id: string): Promise<BackendDocument>
  /** Changes what operators want of a backend, on every node. */
  changeBackend(pool: string, id: string, change: BackendChange): Promise<BackendChanged>
  /** The live nodes of the cluster and whether they agree. */
  nodes(): Promise<NodeList>
  /** Exchanges in flight. */
  load(query: PoolQuery): Promise<LoadList>
  /** What would become of a request now, and why; changes nothing. */
  explain(question: ExplainQuestion): Promise<Explanation>
  /** Reads the configuration of the node that answers anew; in force when it resolves. `configuration-refused`: the old one stays. */
  reload(): Promise<ReloadReport>
  /** Replaces the workers of the node that answers, one after the other, without a refused connection. */
  restartWorkers(query: NodeQuery): Promise<RestartReport>
}

/** In every JSON document; changes only when a field changes its meaning or goes. */
export const apiVersion = 'sticky/v1'

/** Marks a document of this API. */
export interface Versioned {
  readonly apiVersion: typeof apiVersion
}

/** Seconds, fractions allowed. */
export type Seconds = number

/** RFC 3339 in UTC with milliseconds, such as `2026-05-01T12:00:00.000Z`. */
export type Timestamp = string

/** Narrows an answer to one pool; all pools without. */
export interface PoolQuery {
  readonly pool?: string | undefined
}

/** The node that is meant; `other-node` when another one answers. */
export interface NodeQuery {
  readonly node?: string | undefined
}

/** What a reload changed. */
export interface ReloadReport extends Versioned, ConfigChanges {
  /** Its id. */
  readonly node: string
}

/** Workers that were replaced. */
export interface RestartReport extends Versioned {
  /** Its id. */
  readonly node: string
  readonly workers: number
}

/** Which sessions to list. */
export interface SessionQuery extends PoolQuery {
  readonly backend?: string | undefined
  /** Only sessions not touched for longer. Touches are throttled to a tenth of the age. */
  readonly idleGt?: Seconds | undefined
  /** At most so many; all of them without. */
  readonly limit?: number | undefined
}

/** What a client presents. Sent as a body, so that its value lands in no log. */
export interface SessionSearch extends PoolQuery {
  /** `NAME=VALUE` as in a Cookie field. */
  readonly cookie: string
}

/** A session and where it lives. */
export interface SessionResource extends Versioned {
  /** The access log's `session`: 22 base64url characters. */
  readonly id: string
  readonly pool: string
  readonly backend: string
  /** Grows with every change of where it lives. */
  readonly version: number
  /** How it was recognised: `session-cookie`, `cookie:JSESSIONID` … */
  readonly source: string
  readonly created: Timestamp
  /** Last renewal the store knows of. */
  readonly touched: Timestamp
  /** Since `touched`. */
  readonly idle: Seconds
  /** Idle limit. */
  readonly age: Seconds
  /** When it ends unless it is renewed. */
  readonly expires: Timestamp
  /** When it ends whatever happens; null for never. */
  readonly ends: Timestamp | null
  /** Does it end with the last of the application's cookies, too? */
  readonly endsWithLastCookie: boolean
  /** The application's cookies it has. */
  readonly cookies: number
}

/** Sessions a search found. */
export interface SessionList extends Versioned {
  readonly sessions: readonly SessionResource[]
}

/** How many sessions live where. */
export interface SessionCount extends Versioned {
  readonly total: number
  readonly pools: readonly PoolSessionCount[]
}

/** One pool's part of a count. */
export interface PoolSessionCount {
  readonly pool: string
  readonly total: number
  /** Configured backends first, in their order; then those only other nodes know. */
  readonly backends: readonly { readonly backend: string; readonly sessions: number }[]
}

/** A session's application cookies. */
export interface CookieList extends Versioned {
  readonly session: string
  readonly pool: string
  readonly cookies: readonly CookieResource[]
}

/** An application's cookie; its value is never kept. */
export interface CookieResource {
  readonly name: string
  /** 11 base64url characters of a keyed hash of its value. */
  readonly fingerprint: string
  /** Such as `Path=/; HttpOnly`, without Max-Age and Expires. */
  readonly attributes: string
  readonly expires: Timestamp
}

/** The configured backends. */
export interface BackendList extends Versioned {
  readonly backends: readonly BackendResource[]
}

/** One backend as a document. */
export interface BackendDocument extends Versioned, BackendResource {}

/** A backend and what it carries. */
export interface BackendResource {
  readonly pool: string
  readonly id: string
  readonly url: string
  readonly weight: number
  /** As this node sees it: `drain` keeps its sessions and gets no newcomers, `maint` gets nothing, `down` is unwell or ejected by every worker. */
  readonly state: 'ready' | 'drain' | 'maint' | 'down'
  /** What operators want it to be; `ready` where they never said anything. */
  readonly wanted: WantedState
  /** What health checks of this node find; null: it makes none. */
  readonly check: CheckResource | null
  /** When operators gave it the state they want it in; null: they never said anything. */
  readonly since: Timestamp | null
  /** Does it get no newcomers, and has it neither sessions nor exchanges? */
  readonly drained: boolean
  /** Are its sessions in the table, so that they can be counted, moved and ended? */
  readonly keepsSessions: boolean
  /** Live sessions in the cluster. */
  readonly sessions: number | null
  /** Exchanges in flight in the cluster. */
  readonly inFlight: number | null
}

/** What health checks find of a backend. */
export interface CheckResource {
  /** Null: too few were made to tell. */
  readonly up: boolean | null
  /** How many in a row failed, and why the last one did, as in `2 of 3 failed: status 503`; null: it did not. */
  readonly reason: string | null
}

/** The cluster's nodes. */
export interface NodeList extends Versioned {
  /** False: the store could not be asked, and only the node that answers is listed. */
  readonly complete: boolean
  /** Do all live nodes run the same configuration, as far as it must agree? */
  readonly agree: boolean
  /** Each of another configuration than most (of the eldest, at a draw) is flagged, and all of one id. */
  readonly nodes: readonly NodeResource[]
}

/** Why a node deserves a look. */
export type NodeFlag = 'other-configuration' | 'duplicate-id'

/** A live node. */
export interface NodeResource {
  readonly id: string
  /** One process start; tells two nodes of one id apart. */
  readonly instance: string
  /** Is this the node that answers? */
  readonly self: boolean
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly workers: number
  readonly started: Timestamp
  readonly configHash: string
  readonly addresses: readonly string[]
  /** When it is given up unless it is heard of again; null: only the store knows. */
  readonly lease: Timestamp | null
  /** Since the store heard of it last. */
  readonly silent: Seconds
  /** For how long its requests have gone without the store, by its own word; null: they have it. */
  readonly away: Seconds | null
  readonly flags: readonly NodeFlag[]
}

/** Exchanges in flight by backend. */
export interface LoadList extends Versioned {
  readonly load: readonly LoadResource[]
}

/** What one backend has in flight. */
export interface LoadResource {
  readonly pool: string
  readonly backend: string
  /** Null for a backend only other nodes know. */
  readonly weight: number | null
  /** In the whole cluster. */
  readonly cluster: number
  /** On the node that answers. */
  readonly node: number
}

/** RFC 9457: the body of every answer that is an error, as `application/problem+json`. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  /** What went wrong, for people. */
  readonly detail: string
  /** What went wrong, for programs. */
  readonly code: ProblemCode
}

/** Stable codes of the admin API's errors, with the HTTP status of each. */
export const problemStatus = {
  'invalid-request': 400,
  unauthorized: 401,
  'foreign-host': 403,
  'foreign-origin': 403,
  'no-such-path': 404,
  'no-such-session': 404,
  'no-such-pool': 404,
  'no-such-backend': 404,
  'method-not-allowed': 405,
  'ambiguous-session': 409,
  'ambiguous-backend': 409,
  'version-conflict': 409,
  'backend-not-ready': 409,
  'other-node': 409,
  'restart-refused': 409,
  'script-unusable': 409,
  'body-too-large': 413,
  'configuration-refused': 422,
  internal: 500,
  'not-ready': 503,
  'store-unavailable': 503,
} as const

/** One of `problemStatus`. */
export type ProblemCode = keyof typeof problemStatus

/** An error of the admin API, as its server throws and its client finds it. */
export class AdminProblem extends Error {
  override readonly name = 'AdminProblem'
  readonly code: ProblemCode

  constructor(code: ProblemCode, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.code = code
  }
}

/** Media types of the answers: lists and progress, every other document, errors. */
export const mediaTypes = {
  sessions: 'application/jsonl',
  document: 'application/json',
  problem: 'application/problem+json',
} as const

/** Where nothing is secret: alive (200 while the process runs), ready (503 while starting, draining or without its store), metrics. */
export const probePaths = { alive: '/healthz', ready: '/readyz', metrics: '/metrics' } as const

/** An HTTP request of this API. */
export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Path and query. */
  readonly path: string
  /** To be sent as JSON. */
  readonly body?: unknown
}

/** Each operation as an HTTP request: what a client sends, and all that it needs to know of paths. */
export const adminRequests: { readonly [K in keyof AdminApi]: (...args: Parameters<AdminApi[K]>) => AdminRequest } = {
  sessions: (query) => ({ method: 'GET', path: `/v1/sessions${search(query)}` }),
  session: (id, query) => ({ method: 'GET', path: `${sessionPath(id)}${search(query)}` }),
  findSessions: (body) => ({ method: 'POST', path: '/v1/sessions:find', body }),
  countSessions: (query) => ({ method: 'GET', path: `/v1/sessions:count${search(query)}` }),
  endSession: (id, query) => ({ method: 'DELETE', path: `${sessionPath(id)}${search(query)}` }),
  moveSession: (id, body, query) => ({ method: 'PATCH', path: `${sessionPath(id)}${search(query)}`, body }),
  moveSessions: (body) => ({ method: 'POST', path: '/v1/sessions:move', body }),
  endSessions: (body) => ({ method: 'POST', path: '/v1/sessions:end', body }),
  cookies: (id, query) => ({ method: 'GET', path: `${sessionPath(id)}/cookies${search(query)}` }),
  backends: (query) => ({ method: 'GET', path: `/v1/backends${search(query)}` }),
  backend: (pool, id) => ({ method: 'GET', path: backendPath(pool, id) }),
  changeBackend: (pool, id, body) => ({ method: 'PATCH', path: backendPath(pool, id), body }),
  nodes: () => ({ method: 'GET', path: '/v1/nodes' }),
  load: (query) => ({ method: 'GET', path: `/v1/load${search(query)}` }),
  explain: (body) => ({ method: 'POST', path: '/v1/explain', body }),
  reload: () => ({ method: 'POST', path: '/v1/reload' }),
  restartWorkers: (query) => ({ method: 'POST', path: `/v1/nodes:restart${search(query)}` }),
}

function sessionPath(id: string): string {
  return `/v1/sessions/${encodeURIComponent(id)}`
}

function backendPath(pool: string, id: string): string {
  return `/v1/pools/${encodeURIComponent(pool)}/backends/${encodeURIComponent(id)}`
}

function search(query: PoolQuery | EndQuery | SessionQuery | NodeQuery): string {
  const parameters = Object.entries(query).filter(([, value]) => value !== undefined)
  if (parameters.length === 0) return ''
  return `?${new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, String(value)]))}`
}
