import {
  AdminProblem,
  type BackendChange,
  type BulkMove,
  type BulkSelection,
  type SessionMove,
  type SessionSearch,
} from './admin-api.ts'

/** The body of `POST /v1/sessions:find`. */
export function sessionSearch(body: unknown): SessionSearch {
  const { cookie, pool } = fieldsOf(body, ['cookie', 'pool'])
  const wellFormed = typeof cookie === 'string' && /^[^=;\s]+=[\x20-\x7e]*$/.test(cookie)
  if (!wellFormed) throw invalid('cookie must be NAME=VALUE')
  return { cookie, pool: optional(pool, isText, 'pool must be a name') }
}

/** The body of `PATCH /v1/pools/{p}/backends/{b}`. */
export function backendChange(body: unknown): BackendChange {
  const { state, weight } = fieldsOf(body, ['state', 'weight'])
  if (state === undefined && weight === undefined) throw invalid('state or weight must be given')
  return {
    state: optional(state, isWantedState, 'state must be ready, drain or maint'),
    weight: optional(weight, isWeight, 'weight must be a whole number from 0 to 1000, or null for the configured one'),
  }
}

/** The body of `PATCH /v1/sessions/{id}`. */
export function sessionMove(body: unknown): SessionMove {
  const { backend, ifVersion, close, dryRun } = fieldsOf(body, ['backend', 'ifVersion', 'close', 'dryRun'])
  if (!isText(backend)) throw invalid('backend must be a name')
  return {
    backend,
    ifVersion: optional(ifVersion, isCount, 'ifVersion must be a version, a positive whole number'),
    close: optional(close, isFlag, 'close must be true or false'),
    dryRun: optional(dryRun, isFlag, 'dryRun must be true or false'),
  }
}

/** The body of `POST /v1/sessions:move`. */
export function bulkMove(body: unknown): BulkMove {
  const { to, ...selection } = fieldsOf(body, [...selectionFields, 'to'])
  return { ...bulkSelection(selection), to: optional(to, isText, 'to must be a name') }
}

const selectionFields = ['pool', 'from', 'idleGt', 'limit', 'rate', 'dryRun', 'close', 'reason'] as const

/** The body of `POST /v1/sessions:end`. */
export function bulkSelection(body: unknown): BulkSelection {
  const { pool, from, idleGt, limit, rate, dryRun, close, reason } = fieldsOf(body, selectionFields)
  if (!isText(from)) throw invalid('from must be a name')
  return {
    from,
    pool: optional(pool, isText, 'pool must be a name'),
    idleGt: optional(idleGt, isDuration, 'idleGt must be a number of seconds'),
    limit: optional(limit, isCount, 'limit must be a positive whole number'),
    rate: optional(rate, isCount, 'rate must be a positive whole number'),
    dryRun: optional(dryRun, isFlag, 'dryRun must be true or false'),
    close: optional(close, isFlag, 'close must be true or false'),
    reason: optional(reason, isReason, 'reason must be operator or drain'),
  }
}

/** A misspelt field would else be a command that does more than it was meant to. */
function fieldsOf<Name extends string>(body: unknown, known: readonly Name[]): { readonly [N in Name]?: unknown } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body must be an object')
  const unknown = Object.keys(body).find((name) => !known.some((one) => one === name))
  if (unknown !== undefined) throw invalid(`unknown field ${JSON.stringify(unknown)}`)
  return body as { readonly [N in Name]?: unknown }
}

function optional<Value>(value: unknown, is: (value: unknown) => value is Value, demand: string): Value | undefined {
  if (value === undefined || is(value)) return value
  throw invalid(demand)
}

function invalid(detail: string): AdminProblem {
  return new AdminProblem('invalid-request', detail)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}

function isWeight(value: unknown): value is number | null {
  return value === null || (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1000)
}

function isWantedState(value: unknown): value is 'ready' | 'drain' | 'maint' {
  return value === 'ready' || value === 'drain' || value === 'maint'
}

function isReason(value: unknown): value is 'operator' | 'drain' {
  return value === 'operator' || value === 'drain'
}
