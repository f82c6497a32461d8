import type { Milliseconds } from '@sticky/store'

import type { BackendTlsConfig, KeyPairConfig } from './tls-config.ts'

export type { BackendTlsConfig, KeyPairConfig, PemFiles, PemTexts } from './tls-config.ts'

/** A whole configuration, valid and with its defaults: nothing past `load.ts` checks it again. Plain data, so that it can be sent to workers. */
export interface Config {
  readonly listen: readonly ListenConfig[]
  readonly admin: AdminConfig | undefined
  readonly node: { readonly id: string; readonly workers: number }
  readonly store: StoreConfig
  /** Sealing secrets, the newest first; empty: the cluster makes one and shares it through the store. */
  readonly secrets: readonly string[]
  readonly accessLog: boolean
  readonly timeouts: TimeoutConfig
  readonly limits: LimitConfig
  readonly shutdownTimeout: Milliseconds
  readonly drain: DrainConfig
  /** Is the configuration's file read anew whenever it changes? */
  readonly watch: boolean
  /** CIDR ranges whose forwarding fields and request ids are believed. */
  readonly trustedProxies: readonly string[]
  readonly pools: readonly PoolConfig[]
  /** In the order written; `routeMatch` tells which of them counts. */
  readonly routes: readonly RouteConfig[]
  /** Of several routes that match: the first or the last one written, or the most specific. */
  readonly routeMatch: 'first' | 'bottom-up' | 'best'
  /** Whose port is compared with a route's: the Host field's, or that which the client connected to. */
  readonly vhostPort: 'host-header' | 'listener'
  /** The pool that serves what no route matches; undefined: nobody does. */
  readonly fallback: string | undefined
}

export interface Address {
  /** Empty: every interface. */
  readonly host: string
  /** 0: whatever is free. */
  readonly port: number
}

export interface ListenConfig {
  readonly address: Address
  /** PROXY protocol v1 or v2 is demanded from these ranges and nobody else may connect; undefined: plain connections. */
  readonly proxyProtocolFrom: readonly string[] | undefined
  /** Shown to clients that ask for their names, the first to all others; empty: the listener speaks in clear. */
  readonly tls: readonly KeyPairConfig[]
}

export interface AdminConfig {
  readonly address: Address | { readonly socket: string }
  /** Demanded as a bearer token; required unless the address is loopback or a socket. */
  readonly token: string | undefined
}

export interface DrainConfig {
  /** How long a node that is to end goes on accepting connections, and reading those without an exchange. */
  readonly grace: Milliseconds
}

export interface StoreConfig {
  /** `memory:`, or a Redis, Redis Sentinel or Redis Cluster. */
  readonly url: string
  /** Longest wait of an exchange for an answer of the store. */
  readonly budget: Milliseconds
  /** The same where no exchange waits. */
  readonly commandTimeout: Milliseconds
  readonly lease: Milliseconds
  readonly heartbeat: Milliseconds
  readonly prefix: string
  /** Shards of a new pool's session table; the store remembers what a pool began with. */
  readonly shards: number
}

export interface TimeoutConfig {
  readonly head: Milliseconds
  readonly idle: Milliseconds
  readonly body: Milliseconds
  readonly write: Milliseconds
  readonly connect: Milliseconds
  readonly response: Milliseconds
  readonly backendIdle: Milliseconds
  readonly tunnel: Milliseconds
}

export interface LimitConfig {
  /** Bytes of a head, request line included. */
  readonly head: number
  readonly fields: number
  /** Bytes of a request target. */
  readonly target: number
  /** Bytes of a request body; undefined for no limit. */
  readonly body: number | undefined
  /** Open client connections of the node, of which each worker takes its share; undefined: as many as it has descriptors for. */
  readonly connections: number | undefined
  /** Open connections of one client's address per worker, an IPv6 one's of its /64; undefined: no limit. */
  readonly connectionsPerClient: number | undefined
  /** Bytes per second that a client must send of a body, or take of what waits for it; 0: any. */
  readonly minRate: number
}

export interface PoolConfig {
  readonly id: string
  readonly backends: readonly BackendConfig[]
  readonly balance: BalanceName
  /** The chain; the first strategy to recognise a request wins. */
  readonly affinity: readonly AffinityConfig[]
  readonly hostHeader: 'preserve' | 'backend'
  /** With `sharedRoundRobin`: do known sessions' requests use up weight too? */
  readonly countsKnown: boolean
  readonly ejection: EjectionConfig
  /** What becomes of sessions whose backend cannot serve, where their strategy does not refuse them itself. */
  readonly onUnavailable: UnavailableAction
  /** A request field that tells a backend whose session it serves instead of its home, and why; undefined: none does. */
  readonly movedHeader: string | undefined
  /** Who may wait while all backends are full; undefined: nobody. */
  readonly queue: QueueConfig | undefined
  readonly retry: RetryConfig
  /** How backends are asked whether they are well; undefined: nobody asks. */
  readonly healthCheck: HealthCheckConfig | undefined
  /** While a lesser share of its backends is well, from 0 to 1, what checks and failures say of them is ignored. */
  readonly panicBelow: number
  /** How long the share of a backend that was away grows to what it should be; undefined: it has all of it at once. */
  readonly slowStart: Milliseconds | undefined
  readonly timeouts: PoolTimeoutConfig
  readonly tls: BackendTlsConfig
  /** Bytes of a request's body; undefined: only `limits.body` counts. */
  readonly maxBody: number | undefined
  /** Bytes of a body up to which a request may be sent to a second backend although the first may have acted; 0: never. */
  readonly replayBody: number
  /** Lower-case names of request fields that backends never see; a `*` at the end stands for anything. */
  readonly removeHeaders: readonly string[]
}

export type BalanceName = 'leastLoad' | 'leastSessions' | 'roundRobin' | 'sharedRoundRobin' | 'random' | 'powerOfTwo'

/**
 * `rebind`: another backend serves, and is their home from then on; `temporary`: another serves as long as need be, or for so long;
 * `wait`: they wait in the pool's queue; `fail`: they are refused.
 */
export type UnavailableAction = 'rebind' | 'temporary' | 'wait' | 'fail' | { readonly temporary: Milliseconds }

export interface QueueConfig {
  /** Requests, per worker. */
  readonly max: number
  readonly timeout: Milliseconds
}

export interface RetryConfig {
  /** Other backends that are tried at most. */
  readonly attempts: number
  /** The share of a worker's requests of the last 10 s that may be sent again, from 0 to 1. */
  readonly budget: number
  /** So many may be at any rate, on an average of these 10 s. */
  readonly minPerSecond: number
}

/** When a backend is left out, and for how long. */
export interface EjectionConfig {
  /** Failures in a row. */
  readonly failures: number
  /** The first time; doubled with each probe that fails. */
  readonly for: Milliseconds
  readonly longest: Milliseconds
  /** The share of the pool's backends that may be out at once, from 0 to 1; one always may, the last that serves never. */
  readonly mostShare: number
  /** An answer with one of these counts as a failure; empty: whatever is answered is well. */
  readonly statuses: readonly StatusRange[]
}

/** Statuses of responses, both ends included. */
export interface StatusRange {
  readonly from: number
  readonly to: number
}

/** How a backend is asked whether it is well. */
export interface HealthCheckConfig {
  readonly type: 'http' | 'tcp'
  /** With a query, if need be. */
  readonly path: string
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST'
  /** The Host field; undefined: the backend's own. */
  readonly host: string | undefined
  readonly status: readonly StatusRange[]
  /** A pattern that is found in the beginning of the body; undefined: any will do. */
  readonly body: string | undefined
  readonly interval: Milliseconds
  readonly timeout: Milliseconds
  /** Good checks in a row. */
  readonly rise: number
  /** Bad checks in a row. */
  readonly fall: number
  /** The part of an interval by which it may be longer or shorter. */
  readonly jitter: number
  /** What a backend is before it was checked. */
  readonly initially: 'up' | 'down'
}

/** What of a pool's health check is different for one backend; undefined: nothing is. */
export interface BackendCheckConfig {
  readonly path: string | undefined
  readonly port: number | undefined
}

/** Limits of one backend; undefined: those of its pool, then the general ones. */
export interface BackendTimeoutConfig {
  readonly connect: Milliseconds | undefined
  readonly response: Milliseconds | undefined
}

export interface PoolTimeoutConfig extends BackendTimeoutConfig {
  /** Does an answer that took too long count towards ejection? */
  readonly ejects: boolean
}

export interface BackendConfig {
  readonly id: string
  /** An origin: scheme, host and port, without a path. */
  readonly url: string
  readonly weight: number
  /** What session ids call it, where the application's name their servers; its id by default. */
  readonly cloneIds: readonly string[]
  /** Takes newcomers only when no backend that is none can; in the order written. */
  readonly backup: boolean
  /** Exchanges in flight in the whole cluster; undefined: no limit. */
  readonly maxConnections: number | undefined
  readonly timeouts: BackendTimeoutConfig
  readonly tls: BackendTlsConfig
  readonly healthCheck: BackendCheckConfig
  /** What cookies that name instances call it; undefined: they never do. Its id by default. */
  readonly instance: string | undefined
  /** What the paths of its sessions begin with, such as `/GAS1`; of `instance-path`. */
  readonly prefix: string | undefined
}

export type AffinityConfig =
  | SessionCookieConfig
  | PersistenceKeyConfig
  | CloneIdConfig
  | InstanceCookieConfig
  | InstancePathConfig
  | CompanionCookieConfig
  | ScriptConfig

/** How a cookie of ours is called and dressed. */
export interface OwnCookieConfig {
  /** Without its prefix. */
  readonly name: string
  readonly path: string
  readonly domain: string | undefined
  /** `auto`: on exchanges that came over TLS. */
  readonly secure: 'auto' | boolean
  readonly httpOnly: boolean
  readonly sameSite: 'Strict' | 'Lax' | 'None' | undefined
  readonly partitioned: boolean
  /** `__Host-`, `__Secure-`, none, or `auto`: `__Host-` when Secure, Path=/ and no Domain hold. */
  readonly prefix: 'auto' | 'none' | 'host' | 'secure'
  /** Mark a response that gets our cookie `Cache-Control: private`. */
  readonly cachePrivate: boolean
}

/** What bounds a table of sessions that clients begin. */
export interface SessionQuotaConfig {
  /** Sessions that the requests of one client may begin, per worker; undefined: no limit. */
  readonly newPerClient: { readonly count: number; readonly per: Milliseconds } | undefined
  /** Sessions of the pool beyond which none begins. */
  readonly maxSessions: number
}

/** CHTTP: a sealed cookie of ours names the session. */
export interface SessionCookieConfig extends OwnCookieConfig, SessionQuotaConfig {
  readonly strategy: 'session-cookie'
  readonly begin: 'always' | 'on-cookie' | { readonly cookies: readonly string[] }
  readonly age: Milliseconds
  /** The age of an application's cookie that names none itself. */
  readonly cookieAge: Milliseconds
  readonly lifetime: Milliseconds | undefined
  readonly ends: 'age' | 'last-cookie'
  /** Cookies of the application by which a session is found again when our own is missing. */
  readonly recoverBy: readonly string[]
}

/** A10 aFleX: a value that the application or its client chose is the key. */
export interface PersistenceKeyConfig extends SessionQuotaConfig {
  readonly strategy: 'persistence-key'
  /** In their order: the first that leads to a session decides. */
  readonly from: readonly KeySource[]
  readonly age: Milliseconds
  readonly lifetime: Milliseconds | undefined
  /** Methods of requests that end their session when they succeed. */
  readonly endOn: readonly string[]
  /** What becomes of a request whose session's backend is away. */
  readonly whenGone: 'rebind' | 'gone'
  /** A home that carries more than so many times the mean load is left; undefined: never. */
  readonly maxSkew: number | undefined
  /** The pool in whose table the keys are, which honours them too; undefined: this one. */
  readonly share: string | undefined
  /** `cookie`: a sealed cookie of ours by which its sessions are found while the store is away; undefined: nothing. */
  readonly backup: 'cookie' | undefined
}

/** Genero GAS: a cookie of ours names the instance, session or not. */
export interface InstanceCookieConfig extends OwnCookieConfig {
  readonly strategy: 'instance-cookie'
  readonly value: 'sealed' | 'plain'
  /** The response to a newcomer's request of this path, or below it, sets the cookie. */
  readonly start: string
}

/** Cloud Foundry gorouter: beside the application's session cookie a cookie of ours names the instance that set it. */
export interface CompanionCookieConfig {
  readonly strategy: 'companion-cookie'
  /** The application's session cookies; each is meant with a `__Host-` before it, too. */
  readonly triggers: readonly string[]
  readonly name: string
  /** Is there a second cookie of ours, which tells the first one's attributes? */
  readonly meta: boolean
  readonly value: 'sealed' | 'plain'
  /** Secure even where the application's cookie is not. */
  readonly secure: boolean
  /** Is `Authorization: Negotiate` a session, too, whose connection is authenticated and so must not move? */
  readonly negotiate: boolean
  /** In lower case; undefined: requests cannot ask for an instance. */
  readonly addressHeader: string | undefined
}

/** Genero GAS: the path of a request begins with what its instance alone owns. */
export interface InstancePathConfig {
  readonly strategy: 'instance-path'
  /** What the paths of requests that begin a session begin with; `/`: all that no instance owns. */
  readonly start: string
  /** What becomes of a request whose instance cannot serve. */
  readonly whenAway: 'refuse' | 'move'
  /** Do instances know the start path alone, so that their answers are to be mapped to their prefixes? */
  readonly mapResponses: boolean
}

/** Where a request carries the value that is the key of its session. */
/** A10 aFleX: the user's own script. */
export interface ScriptConfig {
  readonly strategy: 'script'
  /** As written; rows are kept under this name. */
  readonly script: string
  /** The same as an absolute path. */
  readonly file: string
  /** Does it run in threads of its own? */
  readonly isolate: boolean
  /** Of one hook. */
  readonly timeLimit: Milliseconds
}

export type KeySource =
  | { readonly cookie: string; readonly learn: KeyLearning }
  | { readonly header: string; readonly learn: KeyLearning }
  | { readonly query: string; readonly learn: KeyLearning }
  | { readonly pathParam: string; readonly learn: KeyLearning }
  /** With the prefix lengths within which addresses are one key. */
  | { readonly clientAddress: true; readonly ipv4: number; readonly ipv6: number }

/** Which message a value is learnt from; `body`: a pattern for the beginning of a response's body, whose one group is the value. */
export type KeyLearning = 'response' | 'request' | { readonly body: string }

/** WebSphere and Tomcat: the application's own session id ends with the clone ids of its servers. */
export interface CloneIdConfig {
  readonly strategy: 'clone-id'
  readonly cookie: string
  /** The path parameter that has the session id where no cookie does. */
  readonly parameter: string
  /** Characters, each of which clone ids begin after. */
  readonly separators: string
}

export interface RouteConfig {
  /** Any of these, in lower case: `example.com`, `*.example.com`, `*`, `[::1]`, perhaps with a port; undefined for all. */
  readonly host: readonly string[] | undefined
  /** Any of these; undefined for all. */
  readonly path: readonly PathConfig[] | undefined
  /** A regular expression that is found somewhere in the request target, query included. */
  readonly pattern: string | undefined
  readonly pool: string
  /** The only backends of the pool that get its newcomers; undefined: all. */
  readonly backends: readonly string[] | undefined
  /** What becomes of newcomers when all these have weight 0: refused, or left to the next route that matches. */
  readonly whenDrained: 'refuse' | 'next'
}

/** A path of a route, and how sessions are told there. */
export interface PathConfig {
  /** `/x` exact, `/x/*` also `/x`, `*.jsp`, `/x/*.jsp`. */
  readonly path: string
  /** The cookie that carries session ids there, where `clone-id` looks for them; undefined: the strategy's own. */
  readonly cookie: string | undefined
  /** The path parameter that does. */
  readonly parameter: string | undefined
}
