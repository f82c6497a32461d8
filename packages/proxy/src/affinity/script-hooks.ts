import type { MaybePromise } from '@sticky/store'

// What a script exports and what its hooks are given: docs/scripts.md tells it with examples.

/** Decides about a request before a backend is chosen. */
export type RequestHook = (context: RequestContext) => MaybePromise<void>

/** Sees a backend's answer before its head leaves. */
export type ResponseHook = (context: ResponseContext) => MaybePromise<void>

/** A length of time as the configuration writes it: `300s`, `5m`, `4h`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** Values by name, of which a message may have none. */
export interface Named {
  exists(name: string): boolean
  /** The first of that name. */
  get(name: string): string | undefined
}

/** A request as its client sent it. */
export interface RequestFacts {
  /** Values without the quotes some clients put around them. */
  readonly cookie: Named
  /** Names in any case. */
  readonly header: Named
  /** As far as trusted proxies tell; IPv4 in its own form, be it mapped into IPv6 or not. */
  readonly clientAddress: string
  readonly method: string
  /** With its query, as received. */
  readonly target: string
  /** Without its query, as received. */
  readonly path: string
  /** As received, with its port if it has one. */
  readonly host: string
}

/** What a request hook sees and may decide. Of several decisions the first counts. */
export interface RequestContext extends RequestFacts {
  readonly header: Named & {
    /** Changes what the backend gets; `get` still tells what the client sent. */
    set(name: string, value: string): void
    remove(name: string): void
  }
  readonly persist: Persistence
  /** Sends the request to that backend of the pool, if it can serve; undefined decides nothing, so that a look-up can be given. */
  readonly use: (backend: MaybePromise<string | undefined>) => void
  /** Has another pool serve the request. */
  readonly pool: (id: string) => void
  /** Answers the request with a status from 400 to 599 and a line of text. */
  readonly refuse: (status: number, text?: string) => void
}

/** What a response hook sees. */
export interface ResponseContext {
  /** The request that is answered. */
  readonly request: RequestFacts
  readonly status: number
  readonly header: Named
  readonly setCookie: SetCookies
  readonly persist: Persistence
  /** Who answered. */
  readonly backend: string
}

/** The cookies an answer sets. */
export interface SetCookies extends Named {
  /** Does the last field of that name set a value? */
  exists(name: string): boolean
  /** The value the last field of that name sets, without quotes; undefined where it deletes the cookie. */
  get(name: string): string | undefined
  /** Does the last field of that name delete the cookie, by Max-Age or Expires? */
  deletes(name: string): boolean
  /** The fields as received. */
  readonly fields: readonly string[]
}

/**
 * The pool's table of keys, shared by every node. Nothing has to be awaited: the exchange waits for what a hook began. A key that
 * is undefined, empty or `null` is none: nothing is found under it and nothing added. All reject while the store is away.
 */
export interface Persistence {
  /** The backend the key is bound to. A value at once where this process knows it, a promise where not. */
  lookup(key: string | undefined): MaybePromise<string | undefined>
  /** Binds the key to the backend that serves the exchange, unless it is bound: then that stays. `age`: idle limit, 5m by default. */
  add(key: string | undefined, terms?: { readonly age?: Duration }): MaybePromise<void>
  /** Ends the binding, on every node. */
  delete(key: string | undefined): MaybePromise<void>
}
