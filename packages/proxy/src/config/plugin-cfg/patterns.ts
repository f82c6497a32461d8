import { isIPv6 } from 'node:net'

import { Flaw } from '../flaw.ts'
import { parseHost } from '../host.ts'
import { parsePath } from '../path.ts'

const virtualHost = /^(\[[^\]]*\]|[^:[\]]*)(?::(\*|\d{1,5}))?$/

/** A VirtualHost's Name as a route's host: `*:9080`, `shop.example.com:80`, `[::1]`; without a port it means port 80. */
export function parseVirtualHost(name: string): string | Flaw {
  if (name === '*') return '*'
  const [, host = '', port = '80'] = virtualHost.exec(isIPv6(name) ? `[${name}]` : name) ?? []
  const written = parseHost(host)
  const usual = written instanceof Flaw && written.instead !== undefined ? parseHost(written.instead) : written
  if (usual instanceof Flaw) return new Flaw('must be a host and port such as shop.example.com:443 or *:80')
  if (port === '*') return usual
  return Number(port) > 0 && Number(port) <= 65_535
    ? `${usual}:${Number(port)}`
    : new Flaw('must have a port from 1 to 65535, or *')
}

/** A Uri's Name as a route's path. */
export function parseUri(name: string): string | Flaw {
  return parsePath(name === '*' ? '/*' : name.replace(/[^!-~]+/g, encodeURIComponent))
}
