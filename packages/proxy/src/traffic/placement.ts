import { type LoadTable, type Milliseconds, type Store, StoreBudget } from '@sticky/store'

import {
  type AffinityStrategy,
  type Client,
  type OutgoingRequest,
  type PersistenceCode,
  type Session,
  type Verdict,
  wholeSite,
} from '../affinity/strategy.ts'
import type { Balancer, Choice } from '../balancing/balancer.ts'
import { codeWith, Elsewhere, HomeBarred } from '../balancing/elsewhere.ts'
import type { Route } from '../routing/route-table.ts'
import type { Pool, Topology } from '../routing/topology.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { RefusalCode } from './exchange-record.ts'
import { Wait, type WaitHost } from './wait.ts'

/** Is told where a request goes. */
export interface PlacementHost {
  /** The backend is counted in the load table until `giveBack`. */
  placed(backend: Backend): void
  /** Nobody serves it; `text` and `status` where the code alone does not say. */
  unplaced(code: RefusalCode, text?: string, status?: number): void
  /** A bug of ours. */
  broken(error: unknown): void
}

/** Where it is placed: a worker's traffic. */
export interface PlacementSources {
  readonly topology: Topology
  readonly store: Pick<Store, 'load'>
  /** `budget` is how long the request waits for the store in all. */
  readonly config: { readonly store: { readonly budget: Milliseconds } }
}

// Of pools that send a request on to each other none serves it.
const MOST_POOLS = 4
const NONE: ReadonlySet<Backend> = new Set()
const NOT_LEFT: readonly AffinityStrategy[] = []

/**
 * Where one request goes: route, pool, session, backend, and another backend when that one fails. Each question is answered at
 * once if that can be, without a promise or a closure: a known session asks nobody else.
 */
export class Placement implements WaitHost {
  route: Route<Pool> | undefined
  pool: Pool | undefined
  session: Session | undefined
  backend: Backend | undefined
  /** How that backend came to serve a session that lives, or lived, elsewhere. */
  elsewhere: Elsewhere | undefined
  readonly #host: PlacementHost
  readonly #topology: Topology
  readonly #load: LoadTable
  readonly #request: RequestHead
  readonly #client: Client
  readonly #port: number
  readonly #budget: StoreBudget
  #passed: ReadonlySet<number> | undefined
  #tried: ReadonlySet<Backend> = NONE
  #pools = 0
  /** Those of the pools that did not keep the request. */
  #left = NOT_LEFT
  #counted = false
  #over = false
  #wait: Wait | undefined

  /** `port` is the one the client connected to; 0 if nobody knows. */
  constructor(
    host: PlacementHost,
    { topology, store, config }: PlacementSources,
    request: RequestHead,
    client: Client,
    port = 0,
  ) {
    this.#host = host
    this.#topology = topology
    this.#load = store.load
    this.#request = request
    this.#client = client
    this.#port = port
    this.#budget = new StoreBudget(config.store.budget)
  }

  /** Begins; the host is told what came of it, perhaps before this returns. */
  begin(): void {
    if (!this.#follow()) this.#host.unplaced('no-route')
  }

  /** Have so few backends failed that another one may be tried? */
  get goesOn(): boolean {
    return this.#tried.size < this.pool!.config.retry.attempts
  }

  /** Changes what that backend is sent as the session has it, without what is ours in pools that did not keep the request. */
  dispatched(to: Backend, request: OutgoingRequest): void {
    this.session!.dispatched?.(to, request)
    for (const strategy of this.#left) strategy.conceal?.(request)
  }

  /** The backend failed: another one, if there is any. */
  next(): void {
    this.giveBack()
    this.#tried = new Set(this.#tried).add(this.backend!)
    this.#attempt(this.session!)
  }

  /** The exchange with the backend is over. Nothing more is told to the host. */
  end(): void {
    this.#over = true
    this.#wait?.end()
    this.giveBack()
  }

  /** Gives back what was counted, and lets the next one have it. */
  giveBack(): void {
    if (!this.#counted) return
    this.#counted = false
    this.#load.end(this.backend!.pool, this.backend!.id)
    const { queue } = this.pool!
    if (queue.length > 0) queue.freed(this.backend!)
  }

  /** The backend at which the session is at home while, and after, this one serves. */
  get home(): Backend {
    return this.elsewhere?.home ?? this.backend!
  }

  /** What affinity made of it. */
  get persistence(): PersistenceCode {
    return codeWith(this.elsewhere, this.session?.persistence ?? 'NN')
  }

  /** How long it has waited for room; undefined: not at all. */
  get waited(): Milliseconds | undefined {
    return this.#wait === undefined || this.#wait.waited === 0 ? undefined : this.#wait.waited
  }

  /** Takes the route that matches, else the pool that takes the rest; false: there is neither. */
  #follow(): boolean {
    const { routes, fallback } = this.#topology
    const route = routes.match(this.#request, this.#client, this.#port, this.#passed)
    const pool = route === undefined ? fallback : route.to
    if (pool === undefined) return false
    this.route = route
    this.#locate(pool)
    return true
  }

  #locate(pool: Pool): void {
    if (this.pool !== undefined) this.#left = [...this.#left, this.pool.strategy]
    this.pool = pool
    try {
      const session = pool.strategy.locate(this.#request, this.#client, this.route?.uri ?? wholeSite, this.#budget)
      if (session instanceof Promise) this.#locatedLater(session)
      else this.#located(session)
    } catch (error) {
      this.#host.broken(error)
    }
  }

  async #locatedLater(session: Promise<Session>): Promise<void> {
    try {
      this.#located(await session)
    } catch (error) {
      this.#host.broken(error)
    }
  }

  #located(session: Session): void {
    this.session = session
    if (this.#over) return
    if (session.verdict === undefined) this.#attempt(session)
    else this.#obey(session.verdict)
  }

  #obey(verdict: Verdict): void {
    if ('refuse' in verdict) return this.#host.unplaced('script-refused', verdict.refuse.text, verdict.refuse.status)
    const pool = this.#topology.pools.get(verdict.pool)
    if (pool === undefined || ++this.#pools > MOST_POOLS) return this.#host.unplaced('no-backend')
    this.#locate(pool)
  }

  #attempt(session: Session): void {
    const { queue } = this.pool!
    if (queue.length > 0 && this.#isBehind(session)) this.#waitFor('all-full')
    else this.#choose(session)
  }

  #choose(session: Session): void {
    try {
      const choice = this.#among.balancer.choose(session, this.#tried, this.#budget)
      if (choice instanceof Promise) this.#chosenLater(choice)
      else this.#chosen(choice)
    } catch (error) {
      this.#host.broken(error)
    }
  }

  async #chosenLater(choice: Promise<Choice>): Promise<void> {
    try {
      const chosen = await choice
      const backend = chosen instanceof Elsewhere ? chosen.backend : chosen
      if (typeof backend === 'string' || backend instanceof HomeBarred || this.#isStillOpen(backend))
        this.#chosen(chosen)
      else this.#chosenTooLate(backend)
    } catch (error) {
      this.#host.broken(error)
    }
  }

  /** May it still be sent there? A newcomer not, once operators have said so: they count on that. */
  #isStillOpen({ id, health }: Backend): boolean {
    return this.session!.home.includes(id) ? health.canServe : health.takesNewcomers
  }

  /** While the choice was made another exchange has ejected the backend, or become its probe, or its state has changed. */
  #chosenTooLate(backend: Backend): void {
    this.backend = backend
    this.#counted = true
    if (this.#over) this.giveBack()
    else this.next()
  }

  #chosen(choice: Choice): void {
    if (choice === 'all-full' || choice instanceof HomeBarred) return this.#waitFor(choice)
    if (typeof choice === 'string') return this.#unplaced(choice)
    this.elsewhere = choice instanceof Elsewhere ? choice : undefined
    this.backend = choice instanceof Elsewhere ? choice.backend : choice
    this.#counted = true
    this.#wait?.end()
    if (this.#over) this.giveBack()
    else this.#host.placed(this.backend)
  }

  // Waiting.

  /** Would it overtake those that wait for what it would take? */
  #isBehind({ home: [first] }: Session): boolean {
    if (this.#tried !== NONE || this.pool!.config.queue === undefined) return false
    if (first === undefined) return this.pool!.queue.isBefore(undefined)
    const home = this.pool!.byId.get(first)
    return home?.limit !== undefined && home.health.canServe && this.pool!.queue.isBefore(home)
  }

  #waitFor(what: 'all-full' | HomeBarred): void {
    if (this.#over) return
    this.#wait ??= new Wait(this)
    const isTriedAgain = what instanceof HomeBarred && this.#tried !== NONE
    if (isTriedAgain) this.#tried = NONE
    this.#wait.begin(what, isTriedAgain)
  }

  get among(): readonly Backend[] {
    return this.#among.backends
  }

  tryAgain(): void {
    // Whoever waits for room may wait for the store, too: its word is what limits hold by.
    this.#budget.renew()
    this.#choose(this.session!)
  }

  refuse(code: RefusalCode): void {
    this.#unplaced(code)
  }

  /** That of the route's own choice of backends, unless a strategy chose another pool. */
  get #among(): { readonly backends: readonly Backend[]; readonly balancer: Balancer } {
    const { route, pool } = this
    return route?.among !== undefined && route.to === pool ? route.among : pool!
  }

  #unplaced(code: RefusalCode): void {
    const { route } = this
    this.#wait?.end()
    if (code === 'no-backend' && route !== undefined && this.pool === route.to && isPassedOver(route)) {
      this.#passed = new Set(this.#passed).add(route.index)
      if (this.#follow()) return
    }
    this.#host.unplaced(code)
  }
}

/** Do all its backends keep to their own sessions, and does it leave newcomers to the next route then? */
function isPassedOver({ to, among, whenDrained }: Route<Pool>): boolean {
  return (
    whenDrained === 'next' &&
    (among ?? to).backends.every(
      ({ weight, health }) => weight === 0 || health.state === 'drain' || health.state === 'maint',
    )
  )
}
