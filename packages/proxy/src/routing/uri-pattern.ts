/** What a route asks of a request; undefined parts ask nothing. */
export interface RoutePattern {
  /** `example.com`, `[::1]`, or `*.example.com` for every depth of subdomain; case and a trailing dot do not matter. */
  readonly host: string | undefined
  /** `/x` for itself, `/x/*` for `/x` and all below it; compared byte for byte, nothing is decoded. */
  readonly path: string | undefined
}

/** A parsed half of a route pattern: everything, one name, or a name and all below it. */
type Half = { readonly kind: 'all' } | { readonly kind: 'exact' | 'below'; readonly name: string }

const all: Half = { kind: 'all' }

/** Parses a route's path. */
export function pathPattern(path: string | undefined): Half {
  if (path === undefined || path === '/*') return all
  return path.endsWith('/*') ? { kind: 'below', name: path.slice(0, -2) } : { kind: 'exact', name: path }
}

/** Parses a route's host. */
export function hostPattern(host: string | undefined): Half {
  if (host === undefined) return all
  return host.startsWith('*.')
    ? { kind: 'below', name: bareHost(host.slice(1)) }
    : { kind: 'exact', name: bareHost(host) }
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

/** Does the pattern match this path (without query)? */
export function matchesPath(pattern: Half, path: string): boolean {
  if (pattern.kind === 'all') return true
  if (pattern.kind === 'exact') return path === pattern.name
  return path.startsWith(pattern.name) && (path.length === pattern.name.length || path[pattern.name.length] === '/')
}

/** Does the pattern match this bare host? */
export function matchesHost(pattern: Half, host: string): boolean {
  if (pattern.kind === 'all') return true
  return pattern.kind === 'exact'
    ? host === pattern.name
    : host.length > pattern.name.length && host.endsWith(pattern.name)
}

/** Does `a` match whatever `b` matches? A route after one that covers it can never be reached. */
export function covers(a: RoutePattern, b: RoutePattern): boolean {
  return (
    coversHalf(hostPattern(a.host), hostPattern(b.host), matchesHost) &&
    coversHalf(pathPattern(a.path), pathPattern(b.path), matchesPath)
  )
}

function coversHalf(a: Half, b: Half, matches: (pattern: Half, name: string) => boolean): boolean {
  if (a.kind === 'all') return true
  if (b.kind === 'all') return false
  return a.kind === b.kind && a.name === b.name ? true : a.kind === 'below' && matches(a, b.name)
}
