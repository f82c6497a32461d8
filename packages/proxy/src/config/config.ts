import type { Milliseconds } from '@sticky/store'

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
  /** CIDR ranges whose forwarding fields and request ids are believed. */
  readonly trustedProxies: readonly string[]
  readonly pools: readonly PoolConfig[]
  /** First match in this order. */
  readonly routes: readonly RouteConfig[]
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
}

export interface AdminConfig {
  readonly address: Address | { readonly socket: string }
  /** Demanded as a bearer token; required unless the address is loopback or a socket. */
  readonly token: string | undefined
}

export interface StoreConfig {
  /** `memory:` or `redis://…`. */
  readonly url: string
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
}

export interface PoolConfig {
  readonly id: string
  readonly backends: readonly BackendConfig[]
  readonly balance: BalanceName
  /** The chain; the first strategy to recognise a request wins. */
  readonly affinity: readonly AffinityConfig[]
  readonly hostHeader: 'preserve' | 'backend'
}

export type BalanceName = 'leastLoad' | 'leastSessions' | 'roundRobin' | 'random' | 'powerOfTwo'

export interface BackendConfig {
  readonly id: string
  /** An origin: scheme, host and port, without a path. */
  readonly url: string
  readonly weight: number
}

export type AffinityConfig = SessionCookieConfig | PersistenceKeyConfig

/** CHTTP: a sealed cookie of ours names the session. */
export interface SessionCookieConfig {
  readonly strategy: 'session-cookie'
  /** Without its prefix. */
  readonly name: string
  readonly begin: 'always' | 'on-cookie' | { readonly cookies: readonly string[] }
  readonly age: Milliseconds
  /** The age of an application's cookie that names none itself. */
  readonly cookieAge: Milliseconds
  readonly lifetime: Milliseconds | undefined
  readonly ends: 'age' | 'last-cookie'
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

/** A10 aFleX: a value the application sets is the key. */
export interface PersistenceKeyConfig {
  readonly strategy: 'persistence-key'
  readonly from: readonly KeySource[]
  readonly age: Milliseconds
  readonly lifetime: Milliseconds | undefined
}

export type KeySource = { readonly cookie: string }

export interface RouteConfig {
  /** Without port; lower case; `*.example.com` for any depth of subdomain; undefined for all. */
  readonly host: string | undefined
  /** `/x` exact, `/x/*` also `/x`; undefined for all. */
  readonly path: string | undefined
  readonly pool: string
}
