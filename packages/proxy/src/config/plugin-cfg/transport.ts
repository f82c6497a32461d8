import { isIPv6 } from 'node:net'

import { Flaw } from '../flaw.ts'
import { parseOrigin } from '../url.ts'
import { Attributes } from './attributes.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** The origin of a Server: its first http Transport, else its first https one; undefined, with a warning, when it has none. */
export function originOf(server: XmlElement, warn: Warn): string | undefined {
  const transports = server.children.filter(({ name }) => name === 'Transport')
  const origins = transports.flatMap((transport) => read(transport, warn) ?? [])
  const chosen = origins.find((origin) => origin.startsWith('http:')) ?? origins[0]
  if (chosen === undefined) {
    warn(server.place, `${nameOf(server)} has no Transport that can be used: it was left out`)
    return undefined
  }
  if (origins.length > 1)
    warn(server.place, `of the ${origins.length} Transports of ${nameOf(server)} only ${chosen} is used`)
  if (chosen.startsWith('https:')) warnOfKeys(transports, warn)
  return chosen
}

/** What people call a Server. */
export function nameOf(server: XmlElement): string {
  const name = server.attributes.get('Name')?.value
  return name === undefined ? `a ${server.name} without a Name` : `${server.name} ${name}`
}

function read(transport: XmlElement, warn: Warn): string | undefined {
  const attributes = new Attributes(transport, warn)
  const protocol = protocolOf(attributes)
  const host = attributes.text('Hostname')
  if (protocol === undefined) return undefined
  if (host === undefined) {
    attributes.warn('Hostname', 'is missing; this Transport was ignored')
    return undefined
  }
  const port = attributes.whole('Port', protocol === 'http' ? 80 : 443, 1, 65_535)
  const origin = parseOrigin(`${protocol}://${isIPv6(host) ? `[${host}]` : host}:${port}`)
  if (!(origin instanceof Flaw)) return origin
  attributes.warn('Hostname', `is no host name: ${JSON.stringify(host)}; this Transport was ignored`)
  return undefined
}

function protocolOf(attributes: Attributes): 'http' | 'https' | undefined {
  const protocol = attributes.text('Protocol')?.toLowerCase() ?? 'http'
  if (protocol === 'http' || protocol === 'https') return protocol
  attributes.warn('Protocol', `must be http or https, got ${JSON.stringify(protocol)}; this Transport was ignored`)
  return undefined
}

function warnOfKeys(transports: readonly XmlElement[], warn: Warn): void {
  const properties = transports.flatMap(({ children }) => children.filter(({ name }) => name === 'Property'))
  const keyring = properties.find(({ attributes }) => attributes.get('Name')?.value.toLowerCase() === 'keyring')
  if (keyring) warn(keyring.place, 'the keyring is not read: name its certificate authority in NODE_EXTRA_CA_CERTS')
}
