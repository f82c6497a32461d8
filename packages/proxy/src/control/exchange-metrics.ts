import type { SessionRefusal } from '../affinity/session-quota.ts'
import type { PoolConfig } from '../config/config.ts'
import type { ExchangeRecord } from '../traffic/exchange-record.ts'
import { type Decision, decisionOf, persistenceCodes } from './decisions.ts'
import { DurationCounts } from './duration-counts.ts'
import type { Labels, Metric, Sample } from './metric.ts'
import { catalogue } from './metric-catalogue.ts'
import { metric } from './metrics.ts'

/** Of what is configured no more so many are still counted: of pools, and of the backends of each. */
const mostGone = 100

/** One worker's exchanges in numbers. An exchange costs two look-ups and some additions; labels are made when somebody reads. */
export class ExchangeMetrics {
  readonly #pools = new Map<string, PoolCounts>()
  /** What had no pool. */
  readonly #unrouted = new PoolCounts('')
  readonly #refusals = new Map<string, number>()

  constructor(pools: readonly PoolConfig[]) {
    this.adopt(pools)
  }

  /** Counts for these pools and backends too from now on. What was counted for others stays, until too many are gone. */
  adopt(pools: readonly PoolConfig[]): void {
    for (const { id, backends } of pools) {
      const counts = this.#pools.get(id) ?? new PoolCounts(id)
      counts.adopt(backends)
      this.#pools.set(id, counts)
    }
    forgetGone(this.#pools, pools)
  }

  /** Counts an exchange that is over. */
  observe(record: ExchangeRecord): void {
    const pool = (record.pool === undefined ? undefined : this.#pools.get(record.pool)) ?? this.#unrouted
    pool.observe(record)
    if (record.refusal !== undefined) this.#refusals.set(record.refusal, (this.#refusals.get(record.refusal) ?? 0) + 1)
  }

  /** Counts a session that was not begun. */
  refuseSession(pool: string, reason: SessionRefusal): void {
    const refused = this.#pools.get(pool)?.sessionsRefused
    refused?.set(reason, (refused.get(reason) ?? 0) + 1)
  }

  /** All it counted, since the worker began. */
  metrics(): Metric[] {
    const pools = [...this.#pools.values(), this.#unrouted]
    const backends = pools.flatMap((pool) => pool.backends())
    return [
      metric(catalogue.requests, backends.flatMap(requests)),
      metric(catalogue.requestDuration, pools.flatMap(durations)),
      metric(catalogue.upstreamDuration, backends.flatMap(upstreamDurations)),
      metric(catalogue.requestBytes, backends.flatMap(total('bytesReceived'))),
      metric(catalogue.responseBytes, backends.flatMap(total('bytesSent'))),
      metric(catalogue.decisions, pools.flatMap(decisions)),
      metric(catalogue.sessionsRefused, pools.flatMap(sessionsRefused)),
      metric(catalogue.sessionMoves, pools.flatMap(moves)),
      metric(catalogue.retries, pools.flatMap(retries)),
      metric(catalogue.retriesDenied, pools.flatMap(retriesDenied)),
      metric(catalogue.queueWait, pools.flatMap(queueWaits)),
      metric(
        catalogue.refusals,
        Array.from(this.#refusals, ([code, value]) => ({ labels: { code }, value })),
      ),
    ]
  }
}

const codeIndex = new Map(persistenceCodes.map((code, index) => [code, index]))

class PoolCounts {
  readonly id: string
  readonly duration = new DurationCounts()
  readonly decisions = new Float64Array(persistenceCodes.length)
  readonly #backends = new Map<string, BackendCounts>()
  /** What reached no backend. */
  readonly #refused: BackendCounts
  readonly sessionsRefused = new Map<SessionRefusal, number>()
  /** Of those that waited at all. */
  readonly queued = new DurationCounts()
  retries = 0
  retriesDenied = 0
  full = 0

  constructor(id: string) {
    this.id = id
    this.#refused = new BackendCounts(id, '')
  }

  adopt(backends: readonly { readonly id: string }[]): void {
    for (const { id } of backends) {
      if (!this.#backends.has(id)) this.#backends.set(id, new BackendCounts(this.id, id))
    }
    forgetGone(this.#backends, backends)
  }

  observe(record: ExchangeRecord): void {
    const reached = record.backend === undefined ? undefined : this.#backends.get(record.backend)
    const counts = reached ?? this.#refused
    counts.observe(record)
    if (!record.tunnel) this.duration.add(record.duration)
    if (reached !== undefined) this.decisions[codeIndex.get(record.persistence)!]! += 1
    if (record.refusal === 'all-full') this.full++
    this.retries += record.retries
    if (record.isRetryDenied) this.retriesDenied++
    if (record.queued !== undefined) this.queued.add(record.queued)
  }

  backends(): BackendCounts[] {
    return [...this.#backends.values(), this.#refused]
  }
}

/** Those that came first. */
function forgetGone(counts: Map<string, unknown>, configured: readonly { readonly id: string }[]): void {
  const ids = new Set(configured.map(({ id }) => id))
  const gone = [...counts.keys()].filter((id) => !ids.has(id))
  for (const id of gone.slice(0, -mostGone)) counts.delete(id)
}

const highestStatus = 599

class BackendCounts {
  readonly labels: Labels
  /** Indexed by status; 0 for none, and for what is no status. */
  readonly statuses = new Float64Array(highestStatus + 1)
  readonly upstream = new DurationCounts()
  bytesReceived = 0
  bytesSent = 0

  constructor(pool: string, backend: string) {
    this.labels = { pool, backend }
  }

  observe(record: ExchangeRecord): void {
    this.statuses[record.status <= highestStatus ? record.status : 0]! += 1
    this.bytesReceived += record.bytesReceived
    this.bytesSent += record.bytesSent
    if (record.upstreamDuration !== undefined) this.upstream.add(record.upstreamDuration)
  }
}

function requests(backend: BackendCounts): Sample[] {
  return Array.from(backend.statuses, (value, code) => ({ labels: { ...backend.labels, code }, value })).filter(counted)
}

function durations(pool: PoolCounts): Sample[] {
  return pool.duration.samples(catalogue.requestDuration, { pool: pool.id })
}

function upstreamDurations(backend: BackendCounts): Sample[] {
  return backend.upstream.samples(catalogue.upstreamDuration, backend.labels)
}

function total(field: 'bytesReceived' | 'bytesSent'): (backend: BackendCounts) => Sample[] {
  return (backend) => [{ labels: backend.labels, value: backend[field] }].filter(counted)
}

function decisions(pool: PoolCounts): Sample[] {
  const totals = new Map<Decision, number>([['full', pool.full]])
  for (const [index, code] of persistenceCodes.entries()) {
    const decision = decisionOf(code)
    totals.set(decision, (totals.get(decision) ?? 0) + pool.decisions[index]!)
  }
  return Array.from(totals, ([result, value]) => ({ labels: { pool: pool.id, result }, value })).filter(counted)
}

function moves(pool: PoolCounts): Sample[] {
  const labels = { pool: pool.id, reason: 'away' }
  return decisions(pool).flatMap(({ labels: { result }, value }) => (result === 'rebound' ? [{ labels, value }] : []))
}

function sessionsRefused(pool: PoolCounts): Sample[] {
  return Array.from(pool.sessionsRefused, ([reason, value]) => ({ labels: { pool: pool.id, reason }, value }))
}

function retries(pool: PoolCounts): Sample[] {
  return [{ labels: { pool: pool.id }, value: pool.retries }].filter(counted)
}

function retriesDenied(pool: PoolCounts): Sample[] {
  return [{ labels: { pool: pool.id }, value: pool.retriesDenied }].filter(counted)
}

function queueWaits(pool: PoolCounts): Sample[] {
  return pool.queued.samples(catalogue.queueWait, { pool: pool.id })
}

function counted(sample: Sample): boolean {
  return sample.value > 0
}
