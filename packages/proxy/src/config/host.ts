import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'

import { Flaw } from './flaw.ts'

/** What a route's host looks like, for people. */
export const hostExpectation =
  'must be a host name such as shop.example.com or *.example.com, or with a port such as *:9080'

/** What a cookie's domain looks like, for people. */
export const domainExpectation = 'must be a domain such as example.com'

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i

/** A name as DNS takes it; underscores too, which container networks are fond of. */
export function isHostName(text: string): boolean {
  const labels = text.split('.')
  return text.length <= 253 && labels.every((part) => label.test(part)) && !looksLikeAddress(labels)
}

// 127.0.0.256 and 10.1 are misspelled addresses rather than names: no top-level domain is a number.
function looksLikeAddress(labels: readonly string[]): boolean {
  return /^\d+$/.test(labels.at(-1)!)
}

/** A route's host: lower case; `*.` in front stands for one label or more, `*` for any host, `:*` for any port. */
export function parseHost(text: string): string | Flaw {
  const [, named = text, port = '*'] = /^(.*):(\d{1,5}|\*)$/.exec(text) ?? []
  const ascii = asciiOf(named)
  if (ascii !== undefined) return new Flaw('must be in ASCII', ascii)
  if (isIPv6(text)) return new Flaw('must have an IPv6 address in brackets', `"[${text}]"`)
  const host = named.toLowerCase().replace(/\.$/, '')
  const sound = host === '*' || isHostName(host.replace(/^\*\./, '')) || isIPv4(host) || isBracketed(host)
  if (!sound || Number(port) > 65_535 || Number(port) === 0) return new Flaw(hostExpectation)
  return port === '*' ? host : `${host}:${Number(port)}`
}

/** A cookie's Domain: a name without a leading dot, which browsers ignore. */
export function parseDomain(text: string): string | Flaw {
  if (text.startsWith('.')) return new Flaw('must be without the leading dot', text.slice(1))
  return isHostName(text) && text.includes('.') ? text.toLowerCase() : new Flaw(domainExpectation)
}

/** What the name in a certificate looks like, for people. */
export const serverNameExpectation = 'must be a host name such as backends.example.com'

/** A name that a certificate has; an address is none (RFC 6066 3). */
export function parseServerName(text: string): string | Flaw {
  return isHostName(text) && !isIPv4(text) ? text.toLowerCase() : new Flaw(serverNameExpectation)
}

function asciiOf(text: string): string | undefined {
  if (/^[ -~]*$/.test(text)) return undefined
  return domainToASCII(text) || 'its Punycode'
}

function isBracketed(host: string): boolean {
  return host.startsWith('[') && host.endsWith(']') && isIPv6(host.slice(1, -1))
}

/** What a Host field looks like, for people. */
export const hostFieldExpectation = 'must be a host such as shop.example.com, or with a port such as 10.0.0.1:8080'

/** A Host field's value. */
export function parseHostField(text: string): string | Flaw {
  const [, name = text, port = '80'] = /^(.*):(\d{1,5})$/.exec(text) ?? []
  const isHost = isHostName(name) || isIPv4(name) || isBracketed(name)
  return isHost && Number(port) <= 65_535 ? text : new Flaw(hostFieldExpectation)
}
