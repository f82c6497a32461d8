import type { Socket } from 'node:net'

import { Client, type Dispatcher } from 'undici'

import type { HealthCheckConfig } from '../config/config.ts'
import type { LinearPattern } from '../wire/linear-pattern.ts'
import { type BackendPlace, connectTo } from './sockets.ts'
import { isAmong } from './statuses.ts'

/** Whom a health check asks, and for what. */
export interface ProbeTarget {
  readonly place: BackendPlace
  /** The Host field. */
  readonly authority: string
  readonly check: Pick<HealthCheckConfig, 'type' | 'path' | 'method' | 'status'>
  /** Is to be found in the beginning of the body; undefined: any will do. */
  readonly body: LinearPattern | undefined
}

/** Of a body: what a pattern is looked for in. */
const mostBody = 64 * 1024

/** Whoever asks keeps the time himself; undici's own limits would only come before it. */
const unlimited = 0

/**
 * Asks a backend how it is, on a connection of its own that ends with the answer: undefined when it is well, else why not.
 * Never rejects; an abort ends it at once, with its reason.
 */
export async function probe(target: ProbeTarget, signal: AbortSignal): Promise<string | undefined> {
  const stands = Promise.withResolvers<void>()
  const over = Promise.withResolvers<never>()
  const socket = connectTo(target.place, stands.resolve).on('error', stands.reject)
  const stop = (): void => over.reject(signal.reason)
  signal.addEventListener('abort', stop)
  try {
    await Promise.race([stands.promise, over.promise])
    if (target.check.type === 'tcp') return undefined
    return await Promise.race([answered(target, socket), over.promise])
  } catch (error) {
    return signal.aborted ? String(signal.reason) : reasonOf(error)
  } finally {
    signal.removeEventListener('abort', stop)
    over.promise.catch(() => {})
    socket.destroy()
  }
}

async function answered({ place, authority, check, body }: ProbeTarget, socket: Socket): Promise<string | undefined> {
  const client = new Client(`${place.scheme}://backend`, {
    // undici does not expect to be called back at once.
    connect: (_, connected) => queueMicrotask(() => connected(null, socket)),
    allowH2: false,
    headersTimeout: unlimited,
    bodyTimeout: unlimited,
  })
  const { path, method, status } = check
  const headers = { host: authority, 'user-agent': 'sticky-health-check' }
  try {
    return await judged(await client.request({ path, method, headers, reset: true }), status, body)
  } finally {
    // Nobody waits for what is left.
    client.destroy().catch(() => {})
  }
}

async function judged(
  { statusCode, body }: Dispatcher.ResponseData,
  good: HealthCheckConfig['status'],
  pattern: LinearPattern | undefined,
): Promise<string | undefined> {
  body.on('error', () => {})
  if (!isAmong(good, statusCode)) return `status ${statusCode}`
  if (pattern === undefined) return undefined
  return pattern.matches(await beginningOf(body)) ? undefined : 'its body does not match'
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
