import { once } from 'node:events'
import { connect } from 'node:net'

import { Client, type Dispatcher } from 'undici'

import type { HealthCheckConfig } from '../config/config.ts'
import { checkedPattern } from '../wire/linear-pattern.ts'
import type { BackendTls } from './backend.ts'
import { isAmong } from './statuses.ts'

/** Whom a health check asks, and for what. */
export interface ProbeTarget {
  /** Scheme, host and port. */
  readonly url: URL
  /** The Host field. */
  readonly authority: string
  /** How it is known, if over TLS. */
  readonly tls: BackendTls | undefined
  readonly check: HealthCheckConfig
}

/** Of a body: what a pattern is looked for in. */
const mostBody = 64 * 1024

/**
 * Asks a backend how it is, on a connection of its own that ends with the answer: undefined when it is well, else why not.
 * Never rejects; an abort ends it at once, with its reason.
 */
export async function probe(target: ProbeTarget, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await (target.check.type === 'tcp' ? connected(target, signal) : answered(target, signal))
  } catch (error) {
    return signal.aborted ? String(signal.reason) : reasonOf(error)
  }
}

async function connected({ url }: ProbeTarget, signal: AbortSignal): Promise<undefined> {
  const socket = connect({ host: hostnameOf(url), port: portOf(url) })
  try {
    await once(socket, 'connect', { signal })
  } finally {
    socket.on('error', () => {}).destroy()
  }
}

async function answered(target: ProbeTarget, signal: AbortSignal): Promise<string | undefined> {
  const client = clientOf(target)
  // The signal of a request is not heard while its connection is being made.
  const stop = (): void => void client.destroy().catch(() => {})
  signal.addEventListener('abort', stop)
  try {
    const { path, method } = target.check
    const headers = { host: target.authority, 'user-agent': 'sticky-health-check' }
    return await judged(await client.request({ path, method, headers, reset: true }), target.check)
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}

/** Longer than the check itself may take: that limit is kept by whoever asks. */
function clientOf({ url, tls, check }: ProbeTarget): Client {
  const timeout = check.timeout * 2
  return new Client(url.origin, {
    allowH2: false,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    connect: { timeout, ...(tls && secured(tls)) },
  })
}

function secured({ serverName, verified, pems }: BackendTls): object {
  const { ca, cert, key } = pems ?? {}
  return {
    rejectUnauthorized: verified,
    ...(serverName !== undefined && { servername: serverName }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert, key }),
  }
}

async function judged(
  { statusCode, body }: Dispatcher.ResponseData,
  { status, body: pattern }: HealthCheckConfig,
): Promise<string | undefined> {
  // What is left unread is thrown away with its connection, and nobody waits for it.
  body.on('error', () => {})
  if (!isAmong(status, statusCode)) return `status ${statusCode}`
  if (pattern === undefined) return undefined
  return checkedPattern(pattern).matches(await beginningOf(body)) ? undefined : 'its body does not match'
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    pieces.push(piece)
    length += piece.length
    if (length >= mostBody) break
  }
  return Buffer.concat(pieces).subarray(0, mostBody).toString()
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host name not found',
  UND_ERR_SOCKET: 'connection closed without an answer',
}

/** In one short line, for people. */
function reasonOf(error: unknown): string {
  const { code = '', name, message = String(error) } = error as Partial<NodeJS.ErrnoException>
  if (name === 'HTTPParserError') return 'its answer breaks HTTP'
  return reasons[code] ?? message.replaceAll(/\s+/g, ' ').slice(0, 160)
}

function hostnameOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

function portOf({ protocol, port }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'https:' ? 443 : 80
}
