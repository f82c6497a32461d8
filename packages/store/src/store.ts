/**
 * The Store seam: three tables (sessions, cookies, load) and the cluster's own, shared by every node.
 *
 * Whatever asks a table for something now gets a value when it is at hand and a promise when it is not, so that a
 * known session costs no microtask. Anything that cannot be answered rejects with `StoreUnavailable`, soon.
 */
export interface Store extends AsyncDisposable {
  readonly sessions: SessionTable
  readonly cookies: CookieTable
  readonly load: LoadTable
  readonly cluster: ClusterTable
  readonly operators: OperatorReads

  /** Did the store answer lately? False from the first failure until it answers again. */
  readonly available: boolean

  /** The store's clock, as well as this process knows it: its own clock plus the offset last seen. Milliseconds since 1970. */
  now(): Milliseconds

  /** Calls back at each change of `available`. */
  onAvailability(listener: (available: boolean) => void): void

  /** How its roles fare; a store that cannot be away has none. */
  roles?(): readonly StoreRole[]

  /** What an operator should know of how the store is set up, a sentence each; rejects with `StoreUnavailable`. */
  warnings?(): Promise<readonly string[]>

  /** Calls back when something this process may hold of a session is no longer to be trusted. */
  onStale(listener: (stale: SessionKey | 'all') => void): void

  /** Has every process look whether the open tunnels of these sessions, all of one pool, still lead to their homes. */
  recall(pool: string, ids: readonly string[]): Promise<void>

  /** Calls back when this process is to look at a session's tunnels. */
  onRecall(listener: (key: SessionKey) => void): void
}

/** How one of the ways to a store fares: what exchanges wait for, upkeep (heartbeat, lists), or the feed of changes. */
export interface StoreRole {
  readonly role: 'requests' | 'upkeep' | 'changes'
  readonly available: boolean
  /** Why it is away, or refuses writes; undefined: all is well. */
  readonly reason: string | undefined
  /** Does it answer, and refuse writes that need memory? */
  readonly readOnly: boolean
  /** Answers that did not come in time, since the start. */
  readonly late: number
  /** Writes that were refused, since the start. */
  readonly refusedWrites: number
  /** How long it was away, since the start. */
  readonly away: Milliseconds
}

export type MaybePromise<T> = T | Promise<T>
export type Milliseconds = number

/** The store could not be asked, or did not answer in time. Whether a write took effect is then unknown. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** Names one row: `id` is 16 bytes as 22 base64url characters, made by us or a keyed fingerprint, never a client's text. */
export interface SessionKey {
  readonly pool: string
  readonly id: string
}

/** What a look-up finds. */
export type Row = Binding | Ended | Absent

/** The fact "this session lives on that backend". */
export interface Binding {
  readonly state: 'bound'
  readonly backend: string
  /** Microseconds of store time at the last change; grows with every change of this row. */
  readonly version: number
  /** The epoch of the row's shard; compared for equality only. */
  readonly epoch: number
  /** When the session began, store time. */
  readonly created: Milliseconds
  /** Idle limit. */
  readonly age: Milliseconds
  /** When the row ends unless it is touched, store time: the least of last cookie, last touch + age, absolute end. */
  readonly deadline: Milliseconds
  /** Absolute end, store time; 0 for none. */
  readonly end: Milliseconds
  /** Does it also end with the last of its cookies? */
  readonly endsWithLastCookie?: boolean | undefined
  /** How it was recognised, for people; undefined where nobody has to know. */
  readonly source?: string | undefined
}

/** A tombstone: the session was ended by an operator or its application; whoever presents its key is a newcomer. */
export interface Ended {
  readonly state: 'ended'
  readonly version: number
  readonly epoch: number
}

/** No row: expired, never begun, or forgotten. `epoch` tells the last apart (decision 0004); 0 when the shard has none yet. */
export interface Absent {
  readonly state: 'absent'
  readonly version: 0
  readonly epoch: number
}

/** How long a session lives, and what it begins with. */
export interface Terms {
  /** Idle limit, renewed by touches. */
  readonly age: Milliseconds
  /** Absolute limit from its beginning; undefined for none. */
  readonly lifetime?: Milliseconds | undefined
  /** CHTTP: the session also ends with the last of its cookies. */
  readonly endsWithLastCookie?: boolean | undefined
  /** How it was recognised, for people: a strategy's name, such as `session-cookie` or `cookie:JSESSIONID`. */
  readonly source: string
  /** The application's cookies set on the response that begins it. */
  readonly cookies?: readonly CookieRecord[] | undefined
}

/** An application's cookie as a response set it. Its value is never kept, only a keyed fingerprint of it. */
export interface CookieRecord {
  readonly name: string
  /** 8 bytes of HMAC as 11 base64url characters. */
  readonly fingerprint: string
  /** Time to live from now; 0 drops the cookie's row at once. */
  readonly age: Milliseconds
  /** The attributes as people read them, such as `Path=/; HttpOnly`; without Max-Age and Expires. */
  readonly attributes: string
}

/** A cookie's row as `sticky-cli cookies` shows it. */
export interface CookieRow {
  readonly name: string
  readonly fingerprint: string
  readonly attributes: string
  /** Store time. */
  readonly expires: Milliseconds
}

/** A session as `sticky-cli sessions` shows it. */
export interface SessionRow extends Binding {
  readonly key: SessionKey
  readonly source: string
  /** Last renewal known to the store, store time; touches are throttled to a tenth of the age. */
  readonly touched: Milliseconds
  readonly cookies: readonly CookieRow[]
}

/** Session -> backend, for all nodes. */
export interface SessionTable {
  /** Never renews. A row this process holds comes at once unless its version is below `atLeast`; absence is never remembered. */
  find(key: SessionKey, atLeast?: number): MaybePromise<Row>

  /**
   * Binds, only if the row's version still is `seen` (0: absent), and answers the row in force: ours, or whoever won.
   * A promise kept means that every node's next look-up sees it. A re-binding keeps created, end and cookies.
   */
  bind(key: SessionKey, backend: string, seen: number, terms: Terms): Promise<Row>

  /** Renews the age. Throttled, batched, never creates, never fails: a row that turns out gone or changed is told as stale. */
  touch(key: SessionKey, binding: Binding): void

  /** Leaves a tombstone in force on every node; false when there was no live session, or with `ifVersion` none of that version. */
  end(key: SessionKey, ifVersion?: number): Promise<boolean>

  /**
   * Gives a live session another home, on every node, without renewing it; `ifVersion`: only if its row still has that version.
   * Answers the row in force. Never creates.
   */
  move(key: SessionKey, backend: string, ifVersion?: number): Promise<Row>

  /** The whole row, for people. */
  show(key: SessionKey): Promise<SessionRow | undefined>

  /** Every live session of the pool at least once, in no order, in bounded memory. Never renews. */
  list(pool: string, filter?: SessionFilter): AsyncIterable<SessionRow>

  /** Live sessions by backend id, exact. */
  count(pool: string): Promise<Map<string, number>>
}

export interface SessionFilter {
  readonly backend?: string | undefined
  readonly idleGreaterThan?: Milliseconds | undefined
}

/** The cookies of each session, each ageing alone (CHTTP's cookie table). They live inside the session's row. */
export interface CookieTable {
  /** Notes cookies a response set for a live session. Batched, never creates a session, never fails. */
  record(key: SessionKey, cookies: readonly CookieRecord[]): void
  of(key: SessionKey): Promise<readonly CookieRow[]>
}

/** A backend that may take a newcomer. Weights are positive integers. */
export interface Candidate {
  readonly id: string
  readonly weight: number
  /** Most exchanges in flight for the whole cluster; undefined for no limit. */
  readonly limit?: number | undefined
}

/** Exchanges in flight by backend, for the whole cluster (ARCHITECTURE.md tells how). */
export interface LoadTable {
  /** Chooses the least total/weight and counts it, in one atomic step; undefined when every candidate is full. */
  reserve(pool: string, candidates: readonly Candidate[]): MaybePromise<string | undefined>
  /** Counts an exchange that needed no choice. */
  begin(pool: string, backend: string): void
  /** Gives back what `reserve` or `begin` counted. */
  end(pool: string, backend: string): void
  /** What this process has in flight on the backend. */
  local(pool: string, backend: string): number
  /**
   * Whose turn it is, by weights that count down for the whole cluster: the next in the candidates' order that has turns left; when
   * none has, all get their weight anew. Limits are not looked at, and nothing is counted in flight: `begin` does that. Never
   * rejects for want of a store: meanwhile turns are this process's own.
   */
  turn(pool: string, candidates: readonly Candidate[]): MaybePromise<string>
  /** Takes turns of a backend that it served out of turn; the cluster hears of it with this process's next `turn`. Below 0: gives back. */
  charge(pool: string, backend: string, turns: number): void
  /** Resolves when the totals have what this process has begun and ended until now. Rejects with StoreUnavailable. */
  reported(): Promise<void>
  /** The cluster's totals by backend; a backend without exchanges may be missing. */
  totals(pool: string): Promise<Map<string, number>>
}

/** What operators want of a backend. */
export interface BackendOrder {
  readonly pool: string
  readonly backend: string
  /** `drain`: it keeps its sessions and gets no newcomers; `maint`: it gets nothing. */
  readonly state: 'ready' | 'drain' | 'maint'
  /** Instead of the configured one; undefined: as configured. */
  readonly weight: number | undefined
  /** When it was given this state, store time. */
  readonly since: Milliseconds
  /** Microseconds of store time at the last change; grows with every change. */
  readonly version: number
}

/** What is to change of a backend's order; what is not mentioned stays. A weight of null: as configured again. */
export interface BackendWish {
  readonly state?: BackendOrder['state'] | undefined
  readonly weight?: number | null | undefined
}

/**
 * What operators read, as the tables have it. They would rather wait than hear that the store is away, and that they waited says
 * nothing to exchanges, which have a budget.
 */
export interface OperatorReads {
  readonly show: SessionTable['show']
  readonly count: SessionTable['count']
  readonly totals: LoadTable['totals']
}

/** Which nodes live, and what they share. */
export interface ClusterTable {
  /** Announces this node until the membership is disposed; its lease lapses by itself when the process is killed. */
  join(node: NodeAnnouncement): Promise<Membership>
  /** Live nodes, by id and then by start. */
  nodes(): Promise<readonly NodeRow[]>
  /** A value all nodes share: the one in force, or `proposal` if there was none. Asking again keeps it in a store that forgot. */
  secret(name: string, proposal: string): Promise<string>

  /** Changes what operators want of a backend; every process hears that there is something new. */
  order(pool: string, backend: string, wish: BackendWish): Promise<BackendOrder>
  /** The orders in force, the latest thousand. Those of `known` that a store forgot, or has in an older version, are kept in it again. */
  orders(known?: readonly BackendOrder[]): Promise<readonly BackendOrder[]>
  /** Calls back when orders may have changed. */
  onOrders(listener: () => void): void

  /** Tells every process that a backend that was away is well again, just now. */
  tellRecovery(pool: string, backend: string): Promise<void>
  /** Calls back when any process, this one included, has told of such a backend. */
  onRecovery(listener: (pool: string, backend: string) => void): void

  /** Raises a barrier behind all that was changed before: what has reached it has heard of that. */
  raiseBarrier(): Promise<string>
  /** Calls back when this process has reached a barrier. */
  onBarrier(listener: (barrier: string) => void): void
  /** Resolves when this process has reached the barrier, or holds nothing from before that it would trust. */
  reached(barrier: string): Promise<void>
  /** Notes that a node process, with all its workers, has reached the barrier. */
  passBarrier(barrier: string, instance: string): Promise<void>
  /** The node processes that have, as long as anybody can be waiting: some seconds. */
  passed(barrier: string): Promise<ReadonlySet<string>>
}

export interface NodeAnnouncement {
  readonly id: string
  /** One process start: tells two nodes of one id apart. */
  readonly instance: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly workers: number
  /** Milliseconds since 1970. */
  readonly started: Milliseconds
  /** Fingerprint of the configuration that must agree between nodes. */
  readonly configHash: string
  /** Ids of the sealing keys this node can open. */
  readonly opens: readonly string[]
  readonly addresses: readonly string[]
  /** Since when its exchanges go without the store, store time; undefined: they have it. One that cannot write at all cannot say so. */
  readonly awaySince?: Milliseconds | undefined
}

export interface NodeRow extends NodeAnnouncement {
  /** When it gave its last sign of life, store time. */
  readonly heard: Milliseconds
  /** When its lease lapses unless renewed, store time. */
  readonly lease: Milliseconds
}

export interface Membership extends AsyncDisposable {
  /** Replaces what this node announces, from the next heartbeat on. */
  announce(node: NodeAnnouncement): Promise<void>
}
