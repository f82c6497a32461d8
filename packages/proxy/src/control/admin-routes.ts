import { type AdminApi, AdminProblem, type PoolQuery, type SessionQuery, type SessionSearch } from './admin-api.ts'
import { explainQuestion } from './explain-body.ts'

/** What an operation answers. */
export type AdminAnswer =
  | { readonly kind: 'document'; readonly document: object }
  | { readonly kind: 'lines'; readonly lines: AsyncIterable<object> }
  | { readonly kind: 'empty' }

/** A request with its path taken apart. */
export interface AdminCall {
  readonly method: string
  readonly url: URL
  /** Reads the body as JSON; an AdminProblem when it is too long or none. */
  body(): Promise<unknown>
}

/** Answers a call of the API; every mistake in it is an AdminProblem. */
export async function answerCall(api: AdminApi, call: AdminCall): Promise<AdminAnswer> {
  const here = routes.filter((route) => route.pattern.test(call.url.pathname))
  if (here.length === 0) throw new AdminProblem('no-such-path', `there is nothing at ${call.url.pathname}`)
  const route = here.find(({ method }) => method === call.method)
  if (route === undefined)
    throw new AdminProblem('method-not-allowed', `use ${here.map((one) => one.method).join(', ')}`)
  return await route.answer(api, call, route.pattern.exec(call.url.pathname)?.[1] ?? '')
}

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly pattern: RegExp
  answer(api: AdminApi, call: AdminCall, id: string): Promise<AdminAnswer> | AdminAnswer
}

const routes: readonly Route[] = [
  {
    method: 'GET',
    pattern: /^\/v1\/sessions$/,
    answer: (api, { url }) => ({ kind: 'lines', lines: api.sessions(sessionQuery(url)) }),
  },
  {
    method: 'POST',
    pattern: /^\/v1\/sessions:find$/,
    answer: async (api, call) => document(api.findSessions(sessionSearch(await call.body()))),
  },
  {
    method: 'GET',
    pattern: /^\/v1\/sessions:count$/,
    answer: (api, { url }) => document(api.countSessions(poolQuery(url))),
  },
  {
    method: 'GET',
    pattern: /^\/v1\/sessions\/([^/]+)$/,
    answer: (api, { url }, id) => document(api.session(id, poolQuery(url))),
  },
  {
    method: 'DELETE',
    pattern: /^\/v1\/sessions\/([^/]+)$/,
    async answer(api, { url }, id) {
      if (!(await api.endSession(id, poolQuery(url)))) throw noSuchSession()
      return { kind: 'empty' }
    },
  },
  {
    method: 'GET',
    pattern: /^\/v1\/sessions\/([^/]+)\/cookies$/,
    answer: (api, { url }, id) => document(api.cookies(id, poolQuery(url))),
  },
  { method: 'GET', pattern: /^\/v1\/backends$/, answer: (api, { url }) => document(api.backends(poolQuery(url))) },
  {
    method: 'GET',
    pattern: /^\/v1\/nodes$/,
    answer(api, { url }) {
      parameters(url, [])
      return document(api.nodes())
    },
  },
  { method: 'GET', pattern: /^\/v1\/load$/, answer: (api, { url }) => document(api.load(poolQuery(url))) },
  {
    method: 'POST',
    pattern: /^\/v1\/explain$/,
    answer: async (api, call) => document(api.explain(explainQuestion(await call.body()))),
  },
  {
    method: 'POST',
    pattern: /^\/v1\/reload$/,
    answer(api, { url }) {
      parameters(url, [])
      return document(api.reload())
    },
  },
  {
    method: 'POST',
    pattern: /^\/v1\/nodes:restart$/,
    answer: (api, { url }) => document(api.restartWorkers(parameters(url, ['node']))),
  },
]

async function document(asked: Promise<object | undefined>): Promise<AdminAnswer> {
  const found = await asked
  if (found === undefined) throw noSuchSession()
  return { kind: 'document', document: found }
}

function noSuchSession(): AdminProblem {
  return new AdminProblem('no-such-session', 'no live session has this id')
}

function poolQuery(url: URL): PoolQuery {
  return parameters(url, ['pool'])
}

function sessionQuery(url: URL): SessionQuery {
  const { idleGt, limit, ...query } = parameters(url, ['pool', 'backend', 'idleGt', 'limit'])
  return {
    ...query,
    idleGt: numberOf('idleGt', idleGt, /^\d+(\.\d+)?$/),
    limit: numberOf('limit', limit, /^[1-9]\d*$/),
  }
}

function parameters<Name extends string>(url: URL, known: readonly Name[]): { readonly [N in Name]?: string } {
  const seen: { [name: string]: string } = {}
  for (const [name, value] of url.searchParams) {
    if (!known.some((one) => one === name)) throw new AdminProblem('invalid-request', `unknown parameter ${name}`)
    if (seen[name] !== undefined) throw new AdminProblem('invalid-request', `parameter ${name} is given twice`)
    seen[name] = value
  }
  return seen as { [N in Name]?: string } // Only known names get here.
}

function numberOf(name: string, text: string | undefined, format: RegExp): number | undefined {
  if (text === undefined) return undefined
  if (text.length > 15 || !format.test(text)) throw new AdminProblem('invalid-request', `${name} must be a number`)
  return Number(text)
}

function sessionSearch(body: unknown): SessionSearch {
  const { cookie, pool } = Object(body) as { readonly cookie?: unknown; readonly pool?: unknown }
  const wellFormed = typeof cookie === 'string' && /^[^=;\s]+=[\x20-\x7e]*$/.test(cookie)
  if (!wellFormed) throw new AdminProblem('invalid-request', 'cookie must be NAME=VALUE')
  if (pool !== undefined && typeof pool !== 'string') throw new AdminProblem('invalid-request', 'pool must be a name')
  return { cookie, pool }
}
