import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

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
    .on('error', ({ code = '' }: NodeJS.ErrnoException) => {
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
function openTls({ hostname, port }: Backend, events: SocketEvents): Socket {
  const target = { host: hostname, port, noDelay: true }
  // RFC 6066 3: an address is no server name. The certificate is checked against `host` then.
  const socket = connectTls(isIP(hostname) === 0 ? { ...target, servername: hostname } : target)
  const read = (bytes: Buffer): void => {
    if (!events.read(bytes)) socket.pause()
  }
  return socket.on('secureConnect', () => events.connected()).on('data', read)
}
