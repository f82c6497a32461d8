/** A route's host, parsed: everything, one name, or all below a name; at one port or at any. */
export interface HostPattern {
  readonly kind: 'all' | 'exact' | 'below'
  /** Lower case, without a trailing dot; with `below` it begins with a dot. */
  readonly name: string
  /** Undefined: any. */
  readonly port: number | undefined
}

const withPort = /^(.*):(\d+|\*)$/

/** Parses `example.com`, `*.example.com`, `[::1]` or `*`, each with or without `:9080` or `:*`. */
export function hostPattern(text: string): HostPattern {
  const [, host = text, digits = '*'] = withPort.exec(text) ?? []
  const port = digits === '*' ? undefined : Number(digits)
  if (host === '*') return { kind: 'all', name: '', port }
  if (host.startsWith('*.')) return { kind: 'below', name: bareHost(host.slice(1)), port }
  return { kind: 'exact', name: bareHost(host), port }
}

/** The name in a Host field: lower case, without port and trailing dot; an IPv6 literal keeps its brackets. */
export function bareHost(field: string): string {
  const host = withoutPort(field).toLowerCase()
  return host.endsWith('.') ? host.slice(0, -1) : host
}

function withoutPort(field: string): string {
  if (field.startsWith('[')) return field.slice(0, field.indexOf(']') + 1)
  const colon = field.indexOf(':')
  return colon < 0 ? field : field.slice(0, colon)
}

/** The port that a Host field names, or else the scheme's own. */
export function portOf(field: string, secure: boolean): number {
  const colon = field.indexOf(':', field.lastIndexOf(']') + 1)
  if (colon >= 0) return Number(field.slice(colon + 1))
  return secure ? 443 : 80
}

/** Does the pattern match this bare host, whatever its port? */
export function matchesHost({ kind, name }: HostPattern, host: string): boolean {
  if (kind === 'all') return true
  return kind === 'exact' ? host === name : host.length > name.length && host.endsWith(name)
}

/** Does `a` match whatever `b` matches? */
export function coversHost(a: HostPattern, b: HostPattern): boolean {
  if (a.port !== undefined && a.port !== b.port) return false
  if (a.kind === 'all') return true
  if (b.kind === 'all') return false
  return (a.kind === b.kind && a.name === b.name) || (a.kind === 'below' && matchesHost(a, b.name))
}

/** From `*:*` over `*:port` to one name at one port, below 1024: with the on-demand router's order of ties. */
export function hostRank({ kind, name, port }: HostPattern): number {
  const rank = kind === 'exact' ? 300 : kind === 'below' ? Math.min(name.length, 299) : 0
  return 2 * rank + (port === undefined ? 0 : 1)
}
