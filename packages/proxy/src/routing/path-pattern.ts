/** A route's path, parsed: everything, one path, a path and all below it, or what ends alike. */
export type PathPattern =
  | { readonly kind: 'all' }
  | { readonly kind: 'exact'; readonly name: string }
  | { readonly kind: 'below'; readonly name: string }
  /** `above` is empty or ends with a slash, which `name` has none of: the two never overlap. */
  | { readonly kind: 'suffix'; readonly above: string; readonly name: string }

const all: PathPattern = { kind: 'all' }

/** Parses `/x`, `/x/*`, `*.jsp` or `/x/*.jsp`; `/*` and the empty text are all. */
export function pathPattern(path: string): PathPattern {
  if (path === '' || path === '/*') return all
  if (path.endsWith('/*')) return { kind: 'below', name: path.slice(0, -2) }
  const star = path.indexOf('*')
  if (star < 0) return { kind: 'exact', name: path }
  return { kind: 'suffix', above: path.slice(0, star), name: path.slice(star + 1) }
}

/** A request's path as patterns see it: raw, but without the `;parameters` of its segments. */
export function withoutParameters(path: string): string {
  return path.includes(';') ? path.replace(parameters, '') : path
}

const parameters = /;[^/]*/g

/** Does the pattern match this path, which has neither query nor parameters? */
export function matchesPath(pattern: PathPattern, path: string): boolean {
  if (pattern.kind === 'all') return true
  const { name } = pattern
  if (pattern.kind === 'exact') return path === name
  if (pattern.kind === 'below')
    return path.startsWith(name) && (path.length === name.length || path.charCodeAt(name.length) === slash)
  return path.startsWith(pattern.above) && path.endsWith(name)
}

const slash = 0x2f

/** Does `a` match whatever `b` matches? */
export function coversPath(a: PathPattern, b: PathPattern): boolean {
  if (a.kind === 'all') return true
  if (b.kind === 'all') return false
  if (a.kind === 'exact') return b.kind === 'exact' && a.name === b.name
  if (a.kind === 'below') return matchesPath(a, b.kind === 'suffix' ? b.above : b.name)
  if (b.kind === 'exact') return matchesPath(a, b.name)
  return b.kind === 'suffix' && b.above.startsWith(a.above) && b.name.endsWith(a.name)
}

/** How much of it is literal, in characters: `/fon` has 4, `/fon/*` 5. The more, the more specific. */
export function literalsOf(path: string): number {
  return path.replace('*', '').length
}

/** The path that all paths it matches begin with, `/` or `/shop`. */
export function contextPathOf(path: string): string {
  const star = path.indexOf('*')
  return (star < 0 ? path : path.slice(0, Math.max(star - 1, 0))) || '/'
}
