import type { Store } from '@sticky/store'

import type { Fingerprints } from '../affinity/fingerprint.ts'
import type { Keyring } from '../affinity/keyring.ts'
import { type ScriptHosts, ScriptUnusable } from '../affinity/script-service.ts'
import type { Session } from '../affinity/strategy.ts'
import { codeWith } from '../balancing/elsewhere.ts'
import type { BackendConfig, Config, PoolConfig } from '../config/config.ts'
import { showDuration } from '../config/duration.ts'
import type { Route } from '../routing/route-table.ts'
import { buildTopology, type Pool } from '../routing/topology.ts'
import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import { Malformed } from '../wire/malformed.ts'
import type { ParsedResponse } from '../wire/response-head.ts'
import { type AdminApi, AdminProblem, apiVersion } from './admin-api.ts'
import { sessionResource } from './admin-sessions.ts'
import { explainedBackends, SeenBackends } from './explain-backends.ts'
import { responseChanges, sentChanges } from './explain-changes.ts'
import { DryPlacement } from './explain-placement.ts'
import { isCertain, WatchedPolicies } from './explain-policies.ts'
import { type AskedRequest, askedRequest, supposedResponse } from './explain-question.ts'
import { DryScripts } from './explain-scripts.ts'
import { dryStore } from './explain-store.ts'
import type {
  Destination,
  ExplainedBackend,
  ExplainedRefusal,
  ExplainedRoute,
  ExplainedSession,
  Explanation,
} from './explanation.ts'
import type { HealthChecks } from './health-checks.ts'
import { unlessAway } from './store-absence.ts'
import type { WorkerReport } from './worker-report.ts'

/** What an explanation draws on. */
export interface ExplainSources {
  readonly config: Config
  readonly store: Store
  readonly keyring: Keyring
  readonly fingerprints: Fingerprints
  readonly checks: Pick<HealthChecks, 'of'>
  /** Asks this node's workers. */
  reports(): Promise<readonly WorkerReport[]>
}

/** Explains requests by the code that routes them, over a store whose writes do nothing. */
export function explainer(sources: ExplainSources): AdminApi['explain'] {
  return async (question) => {
    const response = supposedResponse(question)
    const asked = askedRequest(question, sources.config)
    if (asked instanceof Malformed) return { ...unasked, to: refusalOf(asked) }
    const reports = await sources.reports()
    const seen = new SeenBackends(
      reports.flatMap(({ backends }) => backends),
      sources.checks,
    )
    await using scripts = new DryScripts(sources.config)
    return await new Explaining({ ...sources, scripts }, seen, asked).answer(response).catch(unlessScript)
  }
}

/** The node goes on with the version it loaded, of which this process knows nothing. */
function unlessScript(cause: unknown): never {
  if (!(cause instanceof ScriptUnusable)) throw cause
  throw new AdminProblem('script-unusable', `${cause.message}; workers go on with the version they have`, { cause })
}

const unasked = {
  apiVersion,
  request: null,
  route: null,
  pool: null,
  session: null,
  backends: [],
  sent: null,
  response: null,
  ifAway: null,
} as const

/** The explanation of one request. */
class Explaining {
  readonly #config: Config
  readonly #store: Store
  readonly #seen: SeenBackends
  readonly #asked: AskedRequest
  readonly #policies = new WatchedPolicies()
  readonly #placement: DryPlacement

  constructor(
    { config, store, keyring, fingerprints, scripts }: ExplainSources & { readonly scripts: ScriptHosts },
    seen: SeenBackends,
    asked: AskedRequest,
  ) {
    this.#config = config
    this.#store = dryStore(store, (pool, backend) => seen.inFlight(pool, backend))
    this.#seen = seen
    this.#asked = asked
    const { policies } = this.#policies
    const health = ({ id }: PoolConfig, backend: BackendConfig) => seen.health(id, backend)
    const chances = { clock: () => performance.now(), random: Math.random }
    const services = { store: this.#store, keyring, fingerprints, scripts, policies, health, ...chances }
    // Nobody waits for an explanation.
    const pools = config.pools.map((pool) => ({ ...pool, queue: undefined }))
    const topology = buildTopology({ ...config, pools }, services)
    this.#placement = new DryPlacement({ topology, store: this.#store, config }, asked)
  }

  async answer(response: ParsedResponse): Promise<Explanation> {
    using placement = this.#placement
    const { place } = placement
    const first = await placement.first()
    const { elsewhere } = place
    const chosen = this.#policies.takeCandidates()
    const session = place.session && (await this.#session(place.session))
    const backends = place.pool === undefined ? [] : await explainedBackends(place.pool, this.#seen, this.#store)
    return {
      apiVersion,
      request: this.#request(),
      route: place.route ? this.#route(place.route) : null,
      pool: place.pool?.id ?? null,
      to: this.#destination(first, chosen, backends),
      backends,
      ...(await this.#exchange(first, backends, response)),
      session:
        session && place.session ? { ...session, persistence: codeWith(elsewhere, place.session.persistence) } : null,
    }
  }

  #request(): Explanation['request'] {
    const { request, client } = this.#asked
    const { method, target, host } = request
    return { method, target, host, client: client.address, secure: client.secure }
  }

  #route({ index }: Route<Pool>): ExplainedRoute {
    const { host, path, pattern } = this.#config.routes[index]!
    return { index, match: { ...(host && { host }), ...(path && { path }), ...(pattern && { pattern }) } }
  }

  /** As it is before an answer makes something of it. */
  async #session({ known, reason, home, key }: Session): Promise<Omit<ExplainedSession, 'persistence'>> {
    const row = key && (await unlessAway(this.#store.operators.show(key)))
    const id = key?.id ?? null
    return { known, reason, home, id, row: row ? sessionResource(row, this.#store.now()) : null }
  }

  /** What both sides would be sent, and where the request would go if the backend failed. */
  async #exchange(
    first: Backend | ExplainedRefusal,
    backends: readonly ExplainedBackend[],
    response: ParsedResponse,
  ): Promise<Pick<Explanation, 'sent' | 'response' | 'ifAway'>> {
    if ('refusal' in first) return { sent: null, response: null, ifAway: null }
    const { place } = this.#placement
    const { home } = place
    const sent = sentChanges(place, this.#asked.request)
    const next = await this.#placement.next()
    const ifAway = this.#destination(next, this.#policies.takeCandidates(), backends)
    return { sent, response: await responseChanges(place.session!, home, response), ifAway }
  }

  /** Tells of the time that it would spend in the queue before. */
  #waited(refusal: ExplainedRefusal, pool: Pool | undefined): ExplainedRefusal {
    const { onUnavailable, queue } = this.#config.pools.find(({ id }) => id === pool?.id) ?? {}
    const waits = refusal.refusal === 'all-full' || (onUnavailable === 'wait' && inTheEnd.has(refusal.refusal))
    if (queue === undefined || !waits) return refusal
    return { ...refusal, text: `${refusal.text}, after at most ${showDuration(queue.timeout)} in the queue` }
  }

  #destination(
    to: Backend | ExplainedRefusal,
    chosen: readonly Backend[],
    backends: readonly ExplainedBackend[],
  ): Destination | ExplainedRefusal {
    const { session, elsewhere, pool } = this.#placement.place
    if ('refusal' in to) return this.#waited(to, pool)
    const backend = to.id
    const unasked = { backend, policy: null, certain: true, candidates: [] }
    if (session?.home.includes(backend)) return { ...unasked, why: 'home' }
    if (elsewhere?.home !== undefined && chosen.length === 0) return { ...unasked, why: 'stand-in' }
    const candidates = chosen.map(({ id }) => id)
    const policy = this.#config.pools.find(({ id }) => id === to.pool)!.balance
    const among = backends.filter(({ id }) => candidates.includes(id))
    // One that was no candidate is a backup.
    const certain = !candidates.includes(backend) || isCertain(policy, among)
    return { backend, why: 'policy', policy, certain, candidates }
  }
}

/** How sessions that waited for their homes are refused in the end. */
const inTheEnd: ReadonlySet<string> = new Set<RefusalCode>(['home-away', 'session-gone', 'no-instance'])

function refusalOf({ code, status, reason }: Malformed): ExplainedRefusal {
  return { refusal: code, status, text: reason }
}
