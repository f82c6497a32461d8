import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

import { type Milliseconds, StoreUnavailable } from '@sticky/store'

import type { AdminConfig } from '../config/config.ts'
import { type AdminApi, AdminProblem, mediaTypes, type Problem, probePaths, problemStatus } from './admin-api.ts'
import { adminGuard } from './admin-guard.ts'
import { type AdminAnswer, answerCall } from './admin-routes.ts'
import { listen } from './admin-socket.ts'
import { eachLine, lineBatches } from './line-batches.ts'
import type { Exposition } from './metrics.ts'

/** What the admin server speaks for. */
export interface AdminSubject {
  /** The operations; throws an AdminProblem while there are none. */
  api(): AdminApi
  /** Why the node should get no traffic now; undefined: it is ready. */
  notReady(): string | undefined
  /** The node's metrics in Prometheus' text format. */
  metrics(): Promise<Exposition>
  /** Told of errors that are nobody's mistake but ours. */
  onError(error: unknown): void
}

/** The admin API and the probes, served until it is disposed. */
export interface AdminServer extends AsyncDisposable {
  /** `host:port` or `unix:path`; the real port where 0 was asked for. */
  readonly address: string
}

/** What clients may take of an admin server, whoever they are: probes need no token. */
export interface AdminLimits {
  /** Open ones; those beyond are closed at once. */
  readonly connections: number
  /** For a request's head. */
  readonly head: Milliseconds
  /** For a whole request. */
  readonly request: Milliseconds
  /** For which an answer may wait without any of it being taken. */
  readonly stalled: Milliseconds
}

const usualLimits: AdminLimits = { connections: 256, head: 5_000, request: 10_000, stalled: 30_000 }

/** Serves on the configured address; rejects with the system's error when it cannot listen. */
export async function openAdminServer(
  config: AdminConfig,
  subject: AdminSubject,
  limits: AdminLimits = usualLimits,
): Promise<AdminServer> {
  const guard = adminGuard(config)
  const server = createServer(timesOf(limits), (request, response) => {
    cutWhenStalled(response, limits.stalled)
    answer(request, response).catch((error) => {
      if (!clientGone(error)) fail(response, problemOf(error, subject))
    })
  })
  server.maxConnections = limits.connections
  const address = await listen(server, config.address)
  return { address, [Symbol.asyncDispose]: () => close(server) }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '', 'http://admin')
    if (url === null) throw new AdminProblem('invalid-request', 'the request target is no path')
    if (url.pathname === probePaths.alive) return sendText(response, 'text/plain', 'alive\n')
    if (url.pathname === probePaths.ready) return sendReadiness(response, subject)
    const refused = guard(request.headers)
    if (refused !== undefined) throw refused
    if (url.pathname === probePaths.metrics) return sendMetrics(response, subject)
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
    await send(response, await answerCall(subject.api(), { method, url, body: () => readJson(request) }))
  }
}

function timesOf({ head, request }: AdminLimits): ServerOptions {
  return { headersTimeout: head, requestTimeout: request, connectionsCheckingInterval: head / 5 }
}

/** A socket on which nothing moves is no harm while nothing waits for it: a list may take its time. */
function cutWhenStalled(response: ServerResponse, after: Milliseconds): void {
  response.setTimeout(after, () => {
    if (response.writableLength > 0) response.destroy()
  })
}

function sendReadiness(response: ServerResponse, subject: AdminSubject): void {
  const reason = subject.notReady()
  if (reason !== undefined) throw new AdminProblem('not-ready', reason)
  sendText(response, 'text/plain', 'ready\n')
}

async function sendMetrics(response: ServerResponse, subject: AdminSubject): Promise<void> {
  const { contentType, text } = await subject.metrics()
  sendText(response, contentType, text)
}

async function send(response: ServerResponse, answer: AdminAnswer): Promise<void> {
  if (answer.kind === 'empty') return void response.writeHead(204).end()
  if (answer.kind === 'document') return sendText(response, mediaTypes.document, `${JSON.stringify(answer.document)}\n`)
  await sendLines(response, answer.kind === 'progress' ? eachLine(answer.lines) : lineBatches(answer.lines))
}

/** The head waits for the first batch, so that a list that cannot begin is a problem and not an empty list. */
async function sendLines(response: ServerResponse, batches: AsyncGenerator<string>): Promise<void> {
  const first = await batches.next()
  response.writeHead(200, headers(mediaTypes.sessions))
  if (first.done) return void response.end()
  response.write(first.value)
  await pipeline(batches, response)
}

function sendText(response: ServerResponse, contentType: string, text: string): void {
  response.writeHead(200, headers(contentType)).end(text)
}

function fail(response: ServerResponse, problem: AdminProblem): void {
  // A list that breaks off must not look whole.
  if (response.headersSent) return void response.destroy()
  const status = problemStatus[problem.code]
  const body: Problem = {
    type: 'about:blank',
    title: problem.code.replaceAll('-', ' '),
    status,
    detail: problem.message,
    code: problem.code,
  }
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  if (status === 413) response.setHeader('Connection', 'close')
  response.writeHead(status, headers(mediaTypes.problem)).end(`${JSON.stringify(body)}\n`)
}

function headers(contentType: string): Record<string, string> {
  return { 'Content-Type': contentType, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }
}

function problemOf(error: unknown, subject: AdminSubject): AdminProblem {
  if (error instanceof AdminProblem) return error
  if (error instanceof StoreUnavailable) return new AdminProblem('store-unavailable', 'the store does not answer')
  subject.onError(error)
  return new AdminProblem('internal', "an error of the node's own; its log says which")
}

function clientGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET'
}

const longestBody = 16_384

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > longestBody) throw new AdminProblem('body-too-large', `a body has at most ${longestBody} bytes`)
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new AdminProblem('invalid-request', 'the body must be JSON')
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
