import { isIPv4, isIPv6 } from 'node:net'

import type { Address } from './config.ts'
import { Flaw } from './flaw.ts'
import { isHostName } from './host.ts'

/** What an address to listen on looks like, for people. */
export const addressExpectation = 'must be host:port, such as 127.0.0.1:8080, "[::1]:8080" or :8080 for every interface'

/** The same for the admin API. */
export const adminAddressExpectation =
  'must be host:port, such as 127.0.0.1:9901, or a socket such as unix:/run/sticky.sock'

// A socket's path has to fit, with its closing NUL, into the 108 bytes of Linux' sockaddr_un.
const longestSocketPath = 107

/** Where to listen; the host of `:8080` is the empty string, every interface. */
export function parseAddress(text: string): Address | Flaw {
  const [matched, bracketed, plain = '', digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  if (matched === undefined) return new Flaw(addressExpectation)
  const host = bracketed ?? (plain === '*' ? '' : plain)
  const sound = bracketed === undefined ? isPlainHost(host) : isIPv6(host)
  if (!sound) return new Flaw(addressExpectation)
  const port = Number(digits)
  return port <= 65_535 ? { host, port } : new Flaw('must have a port of at most 65535')
}

/** An address or a Unix socket. */
export function parseAdminAddress(text: string): Address | { readonly socket: string } | Flaw {
  if (!text.startsWith('unix:')) {
    const address = parseAddress(text)
    return address instanceof Flaw ? new Flaw(adminAddressExpectation) : address
  }
  const socket = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
  if (!socket.startsWith('/')) return new Flaw('must name the socket by its whole path, such as unix:/run/sticky.sock')
  if (Buffer.byteLength(socket) <= longestSocketPath) return { socket }
  return new Flaw(`must have a path of at most ${longestSocketPath} bytes`)
}

/** Can only this machine reach it? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** Can nobody listen on both? */
export function overlaps(a: Address, b: Address): boolean {
  return a.port === b.port && (a.host === b.host || includes(a, b) || includes(b, a))
}

/** An address as one writes it. */
export function showAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function includes({ host }: Address, other: Address): boolean {
  return host === '' || host === '::' || (host === '0.0.0.0' && isIPv4(other.host))
}

function isPlainHost(host: string): boolean {
  return host === '' || isIPv4(host) || isHostName(host)
}
