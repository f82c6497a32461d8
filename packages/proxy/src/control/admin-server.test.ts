import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'

import { StoreUnavailable } from '@sticky/store'
import { describe, expect, test } from 'vitest'

import type { AdminConfig } from '../config/config.ts'
import {
  type AdminApi,
  type AdminRequest,
  adminRequests,
  apiVersion,
  type SessionEnded,
  type SessionResource,
} from './admin-api.ts'
import { openAdminServer } from './admin-server.ts'
import { adminSubject } from './fixtures.test-support.ts'

const session: SessionResource = {
  apiVersion,
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  pool: 'shop',
  backend: 'a',
  version: 7,
  source: 'session-cookie',
  created: '2026-05-01T12:00:00.000Z',
  touched: '2026-05-01T12:00:00.000Z',
  idle: 1.5,
  age: 1800,
  expires: '2026-05-01T12:30:00.000Z',
  ends: null,
  endsWithLastCookie: false,
  cookies: 1,
}
const ended: SessionEnded = { apiVersion, id: session.id, pool: 'shop', unacknowledged: [] }
const loopback: AdminConfig = { address: { host: '127.0.0.1', port: 0 }, token: undefined }

describe('operations', () => {
  test('a list of sessions comes as JSON lines', async () => {
    const api = {
      async *sessions() {
        for (let left = 1000; left > 0; left--) yield session
      },
    }
    const answer = await asked(api, adminRequests.sessions({}))

    expect(answer.headers['content-type']).toBe('application/jsonl')
    expect(answer.body.trimEnd().split('\n')).toHaveLength(1000)
    expect(JSON.parse(answer.body.split('\n')[999]!)).toEqual(session)
  })

  test('an empty list is an empty body', async () => {
    const answer = await asked({ sessions: none }, adminRequests.sessions({}))

    expect(answer).toMatchObject({ status: 200, body: '' })
  })

  test('what a client asks arrives as it was meant', async () => {
    const calls: unknown[] = []
    const note = <T>(args: unknown[], answer: T): T => {
      calls.push(args)
      return answer
    }
    const api: Partial<AdminApi> = {
      sessions: (...args) => note(args, none()),
      session: async (...args) => note(args, session),
      findSessions: async (...args) => note(args, { apiVersion, sessions: [session] }),
      endSession: async (...args) => note(args, ended),
      countSessions: async (...args) => note(args, { apiVersion, total: 0, pools: [] }),
    }

    await asked(api, adminRequests.sessions({ pool: 'shop', backend: 'a', idleGt: 90.5, limit: 10 }))
    await asked(api, adminRequests.session(session.id, { pool: 'shop' }))
    await asked(api, adminRequests.findSessions({ cookie: 'JSESSIONID=a b&c' }))
    await asked(api, adminRequests.endSession(session.id, {}))
    await asked(api, adminRequests.countSessions({}))

    expect(calls).toEqual([
      [{ pool: 'shop', backend: 'a', idleGt: 90.5, limit: 10 }],
      [session.id, { pool: 'shop' }],
      [{ cookie: 'JSESSIONID=a b&c', pool: undefined }],
      [session.id, { close: false }],
      [{}],
    ])
  })

  test('ending a session answers where that is not known to be in force', async () => {
    const answer = await asked({ endSession: async () => ended }, adminRequests.endSession(session.id, {}))

    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual(ended)
  })
})

describe('problems', () => {
  test.each<[string, number, Partial<AdminApi>, AdminRequest]>([
    ['no-such-session', 404, { session: async () => undefined }, adminRequests.session('x', {})],
    ['no-such-session', 404, { endSession: async () => undefined }, adminRequests.endSession('x', {})],
    ['store-unavailable', 503, { nodes: failing(new StoreUnavailable('away')) }, adminRequests.nodes()],
    ['internal', 500, { nodes: failing(new TypeError('secret detail')) }, adminRequests.nodes()],
    ['no-such-path', 404, {}, { method: 'GET', path: '/v1/secrets' }],
    ['method-not-allowed', 405, {}, { method: 'POST', path: '/v1/nodes' }],
    ['invalid-request', 400, {}, { method: 'GET', path: '/v1/sessions?limit=0' }],
    ['invalid-request', 400, {}, { method: 'GET', path: '/v1/sessions?idleGt=1e3' }],
    ['invalid-request', 400, {}, { method: 'GET', path: '/v1/sessions?pol=shop' }],
    ['invalid-request', 400, {}, { method: 'GET', path: '/v1/load?pool=a&pool=b' }],
    ['invalid-request', 400, {}, { method: 'GET', path: '/v1/nodes?pool=a' }],
    ['invalid-request', 400, {}, { method: 'POST', path: '/v1/sessions:find', body: { cookie: 'nameless' } }],
    ['invalid-request', 400, {}, { method: 'POST', path: '/v1/sessions:find', body: { cookie: 'a=b\r\nX: y' } }],
    ['invalid-request', 400, {}, { method: 'POST', path: '/v1/sessions:find', body: null }],
    ['invalid-request', 400, {}, { method: 'DELETE', path: '/v1/sessions/x?close=perhaps' }],
    ['invalid-request', 400, {}, { method: 'PATCH', path: '/v1/sessions/x', body: {} }],
    ['invalid-request', 400, {}, { method: 'PATCH', path: '/v1/sessions/x', body: { backend: 'b', ifVersion: '7' } }],
    ['invalid-request', 400, {}, { method: 'PATCH', path: '/v1/sessions/x', body: { backend: 'b', closed: true } }],
    ['invalid-request', 400, {}, { method: 'POST', path: '/v1/sessions:move', body: { to: 'b' } }],
    ['invalid-request', 400, {}, { method: 'POST', path: '/v1/sessions:move', body: { from: 'a', rate: 0 } }],
    ['invalid-request', 400, {}, { method: 'POST', path: '/v1/sessions:end', body: { from: 'a', to: 'b' } }],
    ['invalid-request', 400, {}, { method: 'PATCH', path: '/v1/pools/shop/backends/a', body: {} }],
    ['invalid-request', 400, {}, { method: 'PATCH', path: '/v1/pools/shop/backends/a', body: { state: 'down' } }],
    ['invalid-request', 400, {}, { method: 'PATCH', path: '/v1/pools/shop/backends/a', body: { weight: 1.5 } }],
    ['invalid-request', 400, {}, { method: 'PATCH', path: '/v1/pools/shop/backends/a', body: [] }],
    ['invalid-request', 400, {}, { method: 'GET', path: '/v1/pools/shop/backends/a?pool=shop' }],
    ['method-not-allowed', 405, {}, { method: 'DELETE', path: '/v1/pools/shop/backends/a' }],
    ['body-too-large', 413, {}, { method: 'POST', path: '/v1/sessions:find', body: { cookie: 'a='.padEnd(20_000) } }],
  ])('%s is %i as problem+json', async (code, status, api, call) => {
    const answer = await asked(api, call)

    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(answer.body)).toMatchObject({ type: 'about:blank', status, code })
    expect(answer.body).not.toContain('secret detail')
  })

  test('a list that cannot begin is a problem, not an empty list', async () => {
    const api = {
      // biome-ignore lint/correctness/useYield: it fails before its first session
      async *sessions(): AsyncGenerator<SessionResource> {
        throw new StoreUnavailable('away')
      },
    }
    const answer = await asked(api, adminRequests.sessions({}))

    expect(answer).toMatchObject({ status: 503 })
  })

  test('a list that breaks off does not look whole', async () => {
    const api = {
      async *sessions() {
        for (let left = 1000; left > 0; left--) yield session
        throw new StoreUnavailable('away')
      },
    }

    await expect(asked(api, adminRequests.sessions({}))).rejects.toThrow('aborted')
  })
})

describe('probes', () => {
  test('a node is ready or says why it is not', async () => {
    const ready = await asked({}, { method: 'GET', path: '/readyz' })
    const draining = await asked({}, { method: 'GET', path: '/readyz' }, { notReady: () => 'draining' })

    expect(ready).toMatchObject({ status: 200, body: 'ready\n' })
    expect(draining.status).toBe(503)
    expect(JSON.parse(draining.body)).toMatchObject({ code: 'not-ready', detail: 'draining' })
  })

  test('probes need neither token nor name', async () => {
    const config = { ...loopback, token: 'secret' }

    const alive = await asked({}, { method: 'GET', path: '/healthz' }, { config, headers: { Host: 'node.example' } })
    const metrics = await asked({}, { method: 'GET', path: '/metrics' }, { config })

    expect(alive.status).toBe(200)
    expect(metrics.status).toBe(401)
  })
})

describe('who may ask', () => {
  const nodes: Partial<AdminApi> = { nodes: async () => ({ apiVersion, complete: true, agree: true, nodes: [] }) }
  const withToken = { ...loopback, token: 'correct horse' }

  test.each([
    ['loopback by its own name', 200, loopback, {}],
    ['localhost', 200, loopback, { Host: 'localhost:9901' }],
    ['IPv6 loopback', 200, loopback, { Host: '[::1]:9901' }],
    ['a foreign name that resolves to loopback', 403, loopback, { Host: 'rebound.example:9901' }],
    ['a name that only begins like ours', 403, loopback, { Host: 'localhost.rebound.example' }],
    ['a page of another origin', 403, loopback, { Host: 'localhost', Origin: 'https://evil.example' }],
    ['a sandboxed page', 403, loopback, { Host: 'localhost', Origin: 'null' }],
    ['an image of a page of another site', 403, loopback, { Host: 'localhost', 'Sec-Fetch-Site': 'cross-site' }],
    ['one of a page on another port', 403, loopback, { Host: 'localhost', 'Sec-Fetch-Site': 'same-site' }],
    ['a person who typed the address', 200, loopback, { Host: 'localhost', 'Sec-Fetch-Site': 'none' }],
    ['our own origin', 200, loopback, { Host: 'localhost:1', Origin: 'http://localhost:1' }],
    ['the right token', 200, withToken, { Authorization: 'Bearer correct horse' }],
    ['the right token under a public name', 200, withToken, { Authorization: 'Bearer correct horse', Host: 'n1' }],
    ['a wrong token', 401, withToken, { Authorization: 'Bearer correct horsf' }],
    ['a longer token', 401, withToken, { Authorization: 'Bearer correct horses' }],
    ['no token', 401, withToken, {}],
    ['another scheme', 401, withToken, { Authorization: 'Basic correct horse' }],
  ])('%s: %i', async (_, status, config, headers) => {
    const answer = await asked(nodes, adminRequests.nodes(), { config, headers })

    expect(answer.status).toBe(status)
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined)
  })
})

interface Asking {
  readonly config?: AdminConfig
  readonly headers?: Record<string, string>
  readonly notReady?: () => string | undefined
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function asked(api: Partial<AdminApi>, call: AdminRequest, asking: Asking = {}): Promise<Answer> {
  await using server = await openAdminServer(asking.config ?? loopback, { ...adminSubject(api), ...asking })
  const { port } = new URL(`http://${server.address}`)
  const { method, path } = call
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers: asking.headers ?? {} })
  outgoing.end(call.body === undefined ? undefined : JSON.stringify(call.body))
  const [response] = await once(outgoing, 'response')
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

async function* none(): AsyncGenerator<SessionResource> {
  yield* []
}

function failing(error: Error): () => Promise<never> {
  return () => Promise.reject(error)
}
