import type { OutgoingRequest } from '../affinity/strategy.ts'
import { CHUNKED } from './framing.ts'
import type { ForwardedFields, ParsedRequest } from './request-head.ts'
import type { ParsedResponse } from './response-head.ts'

/** What a connection tells about its client, worked out once for all its requests. */
export interface Origin {
  /** The peer's address, as PROXY protocol or the socket tells it. */
  readonly address: string
  readonly scheme: 'http' | 'https'
  /** The port the client connected to. */
  readonly port: number
  /** May the peer's own forwarding fields be believed? */
  readonly trusted: boolean
}

/** A request's head for a backend, its framing written from what was parsed and never copied (docs/wire.md). */
export function requestLines(
  request: ParsedRequest,
  outgoing: OutgoingRequest,
  host: string,
  origin: Origin,
  id: string,
): string {
  let text = `${request.method} ${outgoing.target} HTTP/1.1\r\nHost: ${host}\r\n${outgoing.lines}`
  if (outgoing.cookie !== undefined) text += `Cookie: ${outgoing.cookie}\r\n`
  text += forwardingLines(request, origin)
  text += `X-Request-Id: ${id}\r\n`
  if (request.expectsContinue) text += 'Expect: 100-continue\r\n'
  return `${text}${connectionLines(request)}${requestFraming(request)}\r\n`
}

function connectionLines(request: ParsedRequest): string {
  if (request.upgrade !== undefined) return `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`
  return request.acceptsTrailers ? 'Connection: TE\r\nTE: trailers\r\n' : ''
}

function requestFraming(request: ParsedRequest): string {
  if (request.framing === CHUNKED) return 'Transfer-Encoding: chunked\r\n'
  return request.framing > 0 || request.hasLength ? `Content-Length: ${request.framing}\r\n` : ''
}

function forwardingLines(request: ParsedRequest, origin: Origin): string {
  const sent = origin.trusted ? request.forwarded : undefined
  if (sent !== undefined) return trustedLines(request, origin, sent)
  return `X-Forwarded-For: ${origin.address}\r\nX-Forwarded-Proto: ${origin.scheme}\r\n${forwardedHost(request.host)}X-Forwarded-Port: ${origin.port}\r\n`
}

function trustedLines(request: ParsedRequest, origin: Origin, sent: ForwardedFields): string {
  const before = sent['x-forwarded-for'] ?? ''
  let text = `X-Forwarded-For: ${before === '' ? origin.address : `${before}, ${origin.address}`}\r\n`
  text += `X-Forwarded-Proto: ${sent['x-forwarded-proto'] ?? origin.scheme}\r\n`
  text += forwardedHost(sent['x-forwarded-host'] ?? request.host)
  text += `X-Forwarded-Port: ${sent['x-forwarded-port'] ?? origin.port}\r\n`
  if (sent['x-real-ip'] !== undefined) text += `X-Real-IP: ${sent['x-real-ip']}\r\n`
  if (sent.forwarded !== undefined) text += `Forwarded: ${sent.forwarded}\r\n`
  return text
}

// HTTP/1.0 has requests without Host.
const forwardedHost = (host: string): string => (host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`)

/** How a response reaches the client. */
export interface Delivery {
  /** `none`: no body follows, whatever the length says; `until-close`: the connection's end is the body's. */
  readonly body: 'none' | 'length' | 'chunked' | 'until-close'
  /** Will the client's connection serve another request? */
  readonly persistent: boolean
}

/** A response's head for the client. */
export function responseLines(
  response: ParsedResponse,
  request: ParsedRequest,
  delivery: Delivery,
  id: string,
): string {
  return `HTTP/1.1 ${response.status} ${response.reason}\r\n${response.lines()}X-Request-Id: ${id}\r\n${responseFraming(response, delivery)}${persistenceLine(request, delivery)}\r\n`
}

function responseFraming(response: ParsedResponse, delivery: Delivery): string {
  if (delivery.body === 'chunked') return `${announcement(response.trailer)}Transfer-Encoding: chunked\r\n`
  if (response.length === undefined || response.status === 204) return ''
  return `Content-Length: ${response.length}\r\n`
}

const announcement = (trailer: string): string => (trailer === '' ? '' : `Trailer: ${trailer}\r\n`)

function persistenceLine(request: ParsedRequest, delivery: Delivery): string {
  if (!delivery.persistent) return 'Connection: close\r\n'
  return request.minorVersion === 0 ? 'Connection: keep-alive\r\n' : ''
}

/** A 101's head for the client; what follows is the protocol it names. */
export function switchingLines(response: ParsedResponse, id: string): string {
  return `HTTP/1.1 101 ${response.reason}\r\n${response.lines()}X-Request-Id: ${id}\r\nConnection: Upgrade\r\nUpgrade: ${response.upgrade}\r\n\r\n`
}

/** An interim response's head for the client (RFC 9110 15.2). */
export const interimLines = (response: ParsedResponse): string =>
  `HTTP/1.1 ${response.status} ${response.reason}\r\n${response.lines()}\r\n`
