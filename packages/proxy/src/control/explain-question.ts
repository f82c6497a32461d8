import { isIP } from 'node:net'

import type { Client } from '../affinity/strategy.ts'
import type { Config } from '../config/config.ts'
import { addressRanges, plainAddress } from '../traffic/address-ranges.ts'
import { clientOf } from '../traffic/client.ts'
import { RESPONSE_LIMITS } from '../wire/limits.ts'
import { Malformed } from '../wire/malformed.ts'
import type { ParsedRequest } from '../wire/request-head.ts'
import { RequestReader } from '../wire/request-reader.ts'
import { type ParsedResponse, parseResponseHead } from '../wire/response-head.ts'
import { AdminProblem } from './admin-api.ts'
import type { ExplainQuestion, HeaderField } from './explanation.ts'

/** A request as a worker would know it. */
export interface AskedRequest {
  readonly request: ParsedRequest
  readonly client: Client
  /** The one the client connects to; 0 if the URL tells nothing of it. */
  readonly port: number
}

/** Reads the request that is asked about as the wire would; an AdminProblem when the question itself makes no sense. */
export function askedRequest(question: ExplainQuestion, config: Config): AskedRequest | Malformed {
  const { scheme, port, target, lines } = requestParts(question)
  const text = `${question.method ?? 'GET'} ${target} HTTP/1.1\r\n${lines}\r\n`
  const request = new RequestReader(config.limits).readHead(bytesOf(text), 0)
  if (request instanceof Malformed) return request
  if (request === undefined) throw new AdminProblem('invalid-request', 'the request has no end')
  const trusted = addressRanges(config.trustedProxies)
  const address = plainAddress(question.client ?? '127.0.0.1')
  if (isIP(address) === 0) throw new AdminProblem('invalid-request', 'client must be an IP address')
  const peer = { address, secure: scheme === 'https' }
  const origin = { address, scheme, port, trusted: trusted.contains(address) }
  return { request, client: clientOf(peer, origin, request, trusted), port }
}

/** The answer that is supposed; an AdminProblem when no backend could give it. */
export function supposedResponse({ responseHeaders = [] }: ExplainQuestion): ParsedResponse {
  const text = bytesOf(`HTTP/1.1 200 OK\r\n${linesOf(responseHeaders)}`).toString('latin1')
  const head = parseResponseHead(text, RESPONSE_LIMITS)
  if (head instanceof Malformed) throw new AdminProblem('invalid-request', `the response would have ${head.reason}`)
  return head
}

interface RequestParts {
  readonly scheme: 'http' | 'https'
  readonly port: number
  readonly target: string
  readonly lines: string
}

function requestParts({ method = 'GET', url, headers = [], cookie }: ExplainQuestion): RequestParts {
  onOneLine('method', method)
  onOneLine('url', url)
  const parts = /^(?:(https?):\/\/([^/?#]*)|(?=\/))([^#]*)/i.exec(url)
  if (parts === null) throw new AdminProblem('invalid-request', 'url must be http://host/path or a path')
  const [, scheme = 'http', authority, path = ''] = parts
  const isSecure = scheme.toLowerCase() === 'https'
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host')
  const host = authority === undefined || hasHost ? [] : [['Host', authority] as const]
  const cookies = cookie === undefined ? [] : [['Cookie', cookie] as const]
  return {
    scheme: isSecure ? 'https' : 'http',
    port: authority === undefined ? 0 : Number(/:(\d{1,5})$/.exec(authority)?.[1] ?? (isSecure ? 443 : 80)),
    target: authority !== undefined && !path.startsWith('/') ? `/${path}` : path,
    lines: linesOf([...host, ...headers, ...cookies]),
  }
}

function linesOf(fields: readonly HeaderField[]): string {
  for (const [name, value] of fields) onOneLine('a header field', name + value)
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

function onOneLine(what: string, text: string): void {
  if (/[\r\n]/.test(text)) throw new AdminProblem('invalid-request', `${what} must be one line`)
}

/** As a client would send it: beyond ASCII in UTF-8. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'utf8')
}
