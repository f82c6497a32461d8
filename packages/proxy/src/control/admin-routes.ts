import { type AdminApi, AdminProblem, type EndQuery, type PoolQuery, type SessionQuery } from './admin-api.ts'
import { backendChange, bulkMove, bulkSelection, sessionMove, sessionSearch } from './admin-bodies.ts'
import { explainQuestion } from './explain-body.ts'

/** What an operation answers. */
export type AdminAnswer =
  | { readonly kind: 'document'; readonly document: object }
  | { readonly kind: 'lines'; readonly lines: AsyncIterable<object> }
  /** Lines that are each to be sent at once. */
  | { readonly kind: 'progress'; readonly lines: AsyncIterable<object> }
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
  const [, ...names] = route.pattern.exec(call.url.pathname) ?? []
  return await route.answer(api, call, names[0] ?? '', names[1] ?? '')
}

interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly pattern: RegExp
  /** With what the groups of the pattern matched. */
  answer(api: AdminApi, call: AdminCall, id: string, second: string): Promise<AdminAnswer> | AdminAnswer
}

const backendPath = /^\/v1\/pools\/([^/]+)\/backends\/([^/]+)$/

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
    answer: (api, { url }, id) => document(api.endSession(id, endQuery(url))),
  },
  {
    method: 'PATCH',
    pattern: /^\/v1\/sessions\/([^/]+)$/,
    answer: async (api, call, id) => document(api.moveSession(id, sessionMove(await call.body()), poolQuery(call.url))),
  },
  {
    method: 'POST',
    pattern: /^\/v1\/sessions:move$/,
    answer: async (api, call) => ({ kind: 'progress', lines: api.moveSessions(bulkMove(await call.body())) }),
  },
  {
    method: 'POST',
    pattern: /^\/v1\/sessions:end$/,
    answer: async (api, call) => ({ kind: 'progress', lines: api.endSessions(bulkSelection(await call.body())) }),
  },
  {
    method: 'GET',
    pattern: /^\/v1\/sessions\/([^/]+)\/cookies$/,
    answer: (api, { url }, id) => document(api.cookies(id, poolQuery(url))),
  },
  { method: 'GET', pattern: /^\/v1\/backends$/, answer: (api, { url }) => document(api.backends(poolQuery(url))) },
  {
    method: 'GET',
    pattern: backendPath,
    answer(api, { url }, pool, id) {
      parameters(url, [])
      return document(api.backend(pool, id))
    },
  },
  {
    method: 'PATCH',
    pattern: backendPath,
    async answer(api, call, pool, id) {
      parameters(call.url, [])
      return document(api.changeBackend(pool, id, backendChange(await call.body())))
    },
  },
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

function endQuery(url: URL): EndQuery {
  const { close, ...query } = parameters(url, ['pool', 'close'])
  if (close !== undefined && !/^(true|false)$/.test(close))
    throw new AdminProblem('invalid-request', 'close must be true or false')
  return { ...query, close: close === 'true' }
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
