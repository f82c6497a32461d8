import { STATUS_CODES } from 'node:http'

import type { Failure } from '../upstream/failures.ts'
import type { RefusalCode } from './exchange-record.ts'

/** What a client is told. Status 0: nothing, for it is gone or does not listen. */
export interface Refusal {
  readonly status: number
  readonly text: string
}

/** The one place that turns "why not" into what a client sees (docs/operations.md). */
export const refusals: Readonly<Record<RefusalCode, Refusal>> = {
  'bad-request': { status: 400, text: 'bad request' },
  'head-too-large': { status: 431, text: 'request head too large' },
  'target-too-long': { status: 414, text: 'request target too long' },
  'head-timeout': { status: 408, text: 'request head took too long' },
  'body-timeout': { status: 408, text: 'request body took too long' },
  'body-too-large': { status: 413, text: 'request body too large' },
  'not-implemented': { status: 501, text: 'not implemented' },
  'version-not-supported': { status: 505, text: 'HTTP version not supported' },
  'no-route': { status: 404, text: 'no route' },
  'no-backend': { status: 503, text: 'no backend can serve' },
  'all-full': { status: 503, text: 'all backends are full' },
  'home-away': { status: 503, text: 'the backend of this session is away' },
  'session-gone': { status: 404, text: 'this session is gone' },
  'no-instance': { status: 404, text: 'no such instance' },
  'script-refused': { status: 403, text: 'refused' },
  'backend-refused': { status: 502, text: 'backend could not be reached' },
  'backend-failed': { status: 502, text: 'backend failed' },
  'backend-invalid': { status: 502, text: 'backend answered out of order' },
  'backend-timeout': { status: 504, text: 'backend took too long' },
  'client-gone': { status: 0, text: '' },
  'client-stalled': { status: 0, text: '' },
  internal: { status: 500, text: 'internal error' },
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

// Long enough for a backend to be probed or a store to be found, short enough for a person to wait.
const RETRY_AFTER_SECONDS = 2

/** An answer of ours. */
export interface OwnAnswer {
  readonly status: number
  /** The whole message. */
  readonly text: string
  readonly bodyLength: number
}

/** What of the request an answer of ours depends on. */
export interface AnsweredRequest {
  readonly requestId: string
  readonly withoutBody: boolean
  readonly persistent: boolean
}

/** A refusal's message; `detail` says more than the code does, `status` differs where several share a code. */
export function refusalAnswer(code: RefusalCode, to: AnsweredRequest, detail?: string, status?: number): OwnAnswer {
  const refusal = refusals[code]
  const body = `${detail ?? refusal.text}\n`
  return answer(status ?? refusal.status, body, to)
}

/** `OPTIONS *` asks about the server itself, and that is us (RFC 9110 9.3.7). */
export function optionsAnswer(to: AnsweredRequest): OwnAnswer {
  return answer(204, '', to)
}

function answer(status: number, body: string, { requestId, withoutBody, persistent }: AnsweredRequest): OwnAnswer {
  let text = `HTTP/1.1 ${status} ${reasonOf(status)}\r\nX-Request-Id: ${requestId}\r\n`
  if (status === 503) text += `Retry-After: ${RETRY_AFTER_SECONDS}\r\n`
  if (status !== 204) text += `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n`
  text += persistent ? '\r\n' : 'Connection: close\r\n\r\n'
  return { status, text: withoutBody ? text : text + body, bodyLength: withoutBody ? 0 : body.length }
}

/** Scripts refuse with any status from 400 on. */
function reasonOf(status: number): string {
  return reasons[status] ?? STATUS_CODES[status] ?? ''
}

/** What a failed exchange with a backend is to its client. */
export function failureCode({ cause }: Failure): RefusalCode {
  return failureCodes[cause]
}

const failureCodes: Readonly<Record<Failure['cause'], RefusalCode>> = {
  refused: 'backend-refused',
  reset: 'backend-failed',
  timeout: 'backend-timeout',
  invalid: 'backend-invalid',
}
