import { connect as connectTcp, isIP, type Socket } from 'node:net'
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls'

import type { PemTexts } from '../config/config.ts'
import type { Backend } from './backend.ts'

/** What happens on a socket to a backend. */
export interface SocketEvents {
  connected(): void
  /** False pauses reading; the bytes stay as they are until it goes on. */
  read(bytes: Buffer): boolean
  /** Asked after each read: are its bytes still in use although reading goes on? The next read then gets a buffer of its own. */
  keepsBytes(): boolean
  drained(): void
  ended(): void
  /** TLS failed, and why; `broken` follows. */
  insecure(reason: string): void
  /** It broke, through a shortage of this machine's or otherwise; `closed` follows. */
  broken(fault: 'ours' | 'theirs'): void
  closed(): void
}

// Large reads cost few wake-ups (256 KiB: 1 MiB bodies at 40 % of the CPU of 64 KiB reads); untouched pages cost no memory.
const READ_BYTES = 256 * 1024

// No descriptors, no memory, no port left to connect from: no backend is to blame for that.
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])

/** Opens a socket to a backend, over TCP or TLS as its scheme says. */
export function openSocket(backend: Backend, events: SocketEvents): Socket {
  const socket = backend.scheme === 'https' ? openTls(backend, events) : openTcp(backend, events)
  return socket
    .on('drain', () => events.drained())
    .on('end', () => events.ended())
    .on('error', (error: NodeJS.ErrnoException) => {
      const { code = '' } = error
      if (isOfTls(error)) events.insecure(error.message)
      events.broken(SHORTAGES.has(code) ? 'ours' : 'theirs')
      socket.destroy()
    })
    .on('close', () => events.closed())
}

/** Reads into one reusable buffer of its own, without a copy. */
function openTcp({ hostname, port }: Backend, events: SocketEvents): Socket {
  let buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  const onread = {
    buffer: () => {
      if (events.keepsBytes()) buffer = Buffer.allocUnsafeSlow(READ_BYTES)
      return buffer
    },
    callback: (length: number, bytes: Uint8Array) => events.read((bytes as Buffer).subarray(0, length)),
  }
  return connectTcp({ host: hostname, port, noDelay: true, onread }).on('connect', () => events.connected())
}

/** Reads as streams do: with `onread` TLS would go on giving what it has decrypted, into a buffer that is still in use. */
function openTls(backend: Backend, events: SocketEvents): Socket {
  const context = contextOf(backend.tls?.pems)
  const socket = connectTls({ ...targetOf(backend), secureContext: context, ...session(backend, context) })
  const read = (bytes: Buffer): void => {
    if (!events.read(bytes)) socket.pause()
  }
  return socket
    .on('secureConnect', () => events.connected())
    .on('session', (session) => sessions.set(backend, { context, session }))
    .on('data', read)
}

/** Where a backend is, and how it is known there. */
export type BackendPlace = Pick<Backend, 'scheme' | 'hostname' | 'port' | 'tls'>

/** Connects to a backend as exchanges do, but for what was learnt before; and calls back when the connection stands. */
export function connectTo(place: BackendPlace, stands: () => void): Socket {
  const { scheme, hostname, port, tls } = place
  if (scheme === 'http') return connectTcp({ host: hostname, port, noDelay: true }).once('connect', stands)
  const secureContext = contextOf(tls?.pems)
  return connectTls({ ...targetOf(place), secureContext }).once('secureConnect', stands)
}

function targetOf({ hostname, port, tls }: BackendPlace): ConnectionOptions & { readonly noDelay: boolean } {
  const name = tls?.serverName ?? hostname
  return {
    host: hostname,
    port,
    noDelay: true,
    rejectUnauthorized: tls?.verified !== false,
    ALPNProtocols: ['http/1.1'],
    // RFC 6066 3: an address is no server name. The certificate is checked against it all the same.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  }
}

// Node's own, for backends of which nothing is said.
let usual: SecureContext | undefined

const contexts = new WeakMap<PemTexts, SecureContext>()

/** One context for all connections with the same certificates: making one takes milliseconds. */
function contextOf(pems: PemTexts | undefined): SecureContext {
  if (pems === undefined) {
    usual ??= createSecureContext()
    return usual
  }
  const made = contexts.get(pems) ?? createSecureContext(given(pems))
  contexts.set(pems, made)
  return made
}

function given({ ca, cert, key }: PemTexts): SecureContextOptions {
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

/** The last session with a backend, by which the next connection need not ask who it is. */
const sessions = new WeakMap<Backend, { readonly context: SecureContext; readonly session: Buffer }>()

function session(backend: Backend, context: SecureContext): { session?: Buffer } {
  const last = sessions.get(backend)
  return last?.context === context ? { session: last.session } : {}
}

/** Everything else was said by the system, or is a connection that broke. */
function isOfTls({ code = '', syscall }: NodeJS.ErrnoException): boolean {
  return code === 'EPROTO' || (syscall === undefined && code !== 'ECONNRESET')
}
