import {
  type AdminApi,
  AdminProblem,
  type AdminRequest,
  adminRequests,
  type BackendChange,
  type BackendChanged,
  type BackendDocument,
  type BackendList,
  type BulkMove,
  type BulkProgress,
  type BulkSelection,
  type CookieList,
  type EndQuery,
  type ExplainQuestion,
  type Explanation,
  type LoadList,
  mediaTypes,
  type NodeList,
  type NodeQuery,
  type PoolQuery,
  type Problem,
  problemStatus,
  type ReloadReport,
  type RestartReport,
  type SessionCount,
  type SessionEnded,
  type SessionList,
  type SessionMove,
  type SessionMoved,
  type SessionQuery,
  type SessionResource,
  type SessionSearch,
} from '@sticky/proxy/admin-api'
import { Client, type Dispatcher } from 'undici'

import type { AdminAddress } from './admin-address.ts'
import { CommandFailure, exitCodes } from './failures.ts'
import { jsonLines } from './json-lines.ts'
import type { Milliseconds } from './times.ts'

/** Whom to ask, and with which token. */
export interface AdminClientOptions {
  readonly address: AdminAddress
  readonly token: string | undefined
  /** Ends whatever is under way. */
  readonly signal: AbortSignal
}

const connectTimeout: Milliseconds = 5_000
const answerTimeout: Milliseconds = 30_000
// A filtered list answers with its first session, which may be far into a large table.
const listTimeout: Milliseconds = 300_000
// Scripts in threads are given ten seconds to load, and changes wait for one another.
const changeTimeout: Milliseconds = 60_000
// Every worker may take its node's shutdownTimeout, one after the other.
const restartTimeout: Milliseconds = 3_600_000

/** The admin API over HTTP. Rejects with CommandFailure when it cannot be had, with AdminProblem when it refuses. */
export class AdminClient implements AdminApi, AsyncDisposable {
  readonly #options: AdminClientOptions
  readonly #http: Client

  constructor(options: AdminClientOptions) {
    const { origin, socketPath } = options.address
    this.#options = options
    this.#http = new Client(origin, { connect: { timeout: connectTimeout, ...(socketPath && { socketPath }) } })
  }

  sessions(query: SessionQuery): AsyncGenerator<SessionResource> {
    return this.#lines(adminRequests.sessions(query), 'the list of sessions')
  }

  moveSessions(move: BulkMove): AsyncGenerator<BulkProgress> {
    return this.#lines(adminRequests.moveSessions(move), 'the move of sessions')
  }

  endSessions(selection: BulkSelection): AsyncGenerator<BulkProgress> {
    return this.#lines(adminRequests.endSessions(selection), 'the end of sessions')
  }

  async moveSession(id: string, move: SessionMove, query: PoolQuery): Promise<SessionMoved | undefined> {
    return await presentOnly(this.#document<SessionMoved>(adminRequests.moveSession(id, move, query)))
  }

  async session(id: string, query: PoolQuery): Promise<SessionResource | undefined> {
    return await presentOnly(this.#document<SessionResource>(adminRequests.session(id, query)))
  }

  async findSessions(search: SessionSearch): Promise<SessionList> {
    return await this.#document(adminRequests.findSessions(search))
  }

  async countSessions(query: PoolQuery): Promise<SessionCount> {
    return await this.#document(adminRequests.countSessions(query))
  }

  async endSession(id: string, query: EndQuery): Promise<SessionEnded | undefined> {
    return await presentOnly(this.#document<SessionEnded>(adminRequests.endSession(id, query)))
  }

  async cookies(id: string, query: PoolQuery): Promise<CookieList | undefined> {
    return await presentOnly(this.#document<CookieList>(adminRequests.cookies(id, query)))
  }

  async backends(query: PoolQuery): Promise<BackendList> {
    return await this.#document(adminRequests.backends(query))
  }

  async backend(pool: string, id: string): Promise<BackendDocument> {
    return await this.#document(adminRequests.backend(pool, id))
  }

  async changeBackend(pool: string, id: string, change: BackendChange): Promise<BackendChanged> {
    return await this.#document(adminRequests.changeBackend(pool, id, change))
  }

  async nodes(): Promise<NodeList> {
    return await this.#document(adminRequests.nodes())
  }

  async load(query: PoolQuery): Promise<LoadList> {
    return await this.#document(adminRequests.load(query))
  }

  async explain(question: ExplainQuestion): Promise<Explanation> {
    return await this.#document(adminRequests.explain(question))
  }

  async reload(): Promise<ReloadReport> {
    return await this.#document(adminRequests.reload(), changeTimeout)
  }

  async restartWorkers(query: NodeQuery): Promise<RestartReport> {
    return await this.#document(adminRequests.restartWorkers(query), restartTimeout)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.destroy()
  }

  async *#lines<Line>(request: AdminRequest, what: string): AsyncGenerator<Line> {
    const response = await this.#answer(request, listTimeout)
    if (!hasType(response, mediaTypes.sessions)) throw this.#stranger()
    try {
      yield* jsonLines(response.body) as AsyncIterable<Line>
    } catch (cause) {
      this.#options.signal.throwIfAborted()
      const sentence = `${what} broke off before its end: ${reason(cause)}`
      throw new CommandFailure(exitCodes.failed, sentence, { cause })
    }
  }

  async #document<Document>(request: AdminRequest, timeout = answerTimeout): Promise<Document> {
    const response = await this.#answer(request, timeout)
    if (!hasType(response, mediaTypes.document)) throw this.#stranger()
    return (await this.#whole(response.body.json())) as Document
  }

  async #whole<Body>(body: Promise<Body>): Promise<Body> {
    try {
      return await body
    } catch (cause) {
      this.#options.signal.throwIfAborted()
      throw new CommandFailure(exitCodes.failed, `the admin API's answer broke off: ${reason(cause)}`, { cause })
    }
  }

  async #answer({ method, path, body }: AdminRequest, timeout: Milliseconds): Promise<Dispatcher.ResponseData> {
    const { token, signal } = this.#options
    const headers = {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    const payload = body === undefined ? null : JSON.stringify(body)
    const limits = { headersTimeout: timeout, bodyTimeout: timeout }
    const response = await this.#http
      .request({ method, path, headers, body: payload, signal, ...limits })
      .catch((cause) => {
        signal.throwIfAborted()
        throw this.#unreachable(reason(cause), cause)
      })
    if (response.statusCode < 300) return response
    throw await this.#refused(response)
  }

  async #refused(response: Dispatcher.ResponseData): Promise<Error> {
    if (!hasType(response, mediaTypes.problem)) return this.#stranger()
    const { code, detail } = (await this.#whole(response.body.json())) as Problem
    return code in problemStatus ? new AdminProblem(code, detail) : new CommandFailure(exitCodes.failed, detail)
  }

  #stranger(): CommandFailure {
    return this.#unreachable('what answers there is something else')
  }

  #unreachable(why: string, cause?: unknown): CommandFailure {
    const sentence = `cannot reach the admin API at ${this.#options.address.text}: ${why}`
    return new CommandFailure(exitCodes.unreachable, sentence, { cause })
  }
}

async function presentOnly<Document>(answer: Promise<Document>): Promise<Document | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof AdminProblem && error.code === 'no-such-session') return undefined
    throw error
  }
}

function hasType(response: Dispatcher.ResponseData, type: string): boolean {
  return String(response.headers['content-type']).split(';')[0] === type
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOENT: 'there is no such socket',
  EACCES: 'permission denied',
  ENOTFOUND: 'no such host',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'no more came in time',
}

function reason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  return reasons[code ?? ''] ?? message
}
