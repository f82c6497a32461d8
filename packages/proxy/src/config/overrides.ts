import { Flaw } from './flaw.ts'
import type { Mistake, Path } from './mistakes.ts'
import { isReference, resolveReferences, type SecretSources } from './secrets.ts'

/** What flags say instead of the file, so that one file serves many nodes. */
export interface Overrides {
  readonly nodeId?: string | undefined
  /** The n-th replaces the address of the file's n-th listener, whose other keys stay; the file's further listeners go. */
  readonly listen?: readonly string[] | undefined
  readonly admin?: string | undefined
  readonly store?: string | undefined
  readonly routeMatch?: string | undefined
}

/** The file's data with the flags' values in place. */
export interface Overridden {
  readonly data: unknown
  readonly unresolved: readonly Mistake[]
  /** The flag that the value at this path came from. */
  flagOf(path: Path): string | undefined
  /** Did the flag's value come from the environment or a file? */
  isReferenced(path: Path): boolean
}

/** The data with the flags' texts in place, references in them as they are. */
export function overrideWritten(data: unknown, overrides: Overrides): unknown {
  if (!isMap(data)) return data
  const changed = withListeners(data, overrides)
  for (const { path, text } of flagsOf(overrides)) put(changed, path, text)
  return changed
}

/** Puts the flags' values in place of the file's. */
export function override(data: unknown, overrides: Overrides, sources: SecretSources): Overridden {
  const unresolved: Mistake[] = []
  const flags = flagsOf(overrides)
  const find = (path: Path) => flags.find((flag) => flag.path.every((step, depth) => step === path[depth]))
  const flagOf = (path: Path) => find(path)?.flag
  const isReferenced = (path: Path) => isReference(find(path)?.text ?? '')
  if (!isMap(data)) return { data, unresolved, flagOf, isReferenced }
  const changed = withListeners(data, overrides)
  for (const { path, text } of flags) {
    const value = resolveReferences(text, sources)
    if (value instanceof Flaw) unresolved.push({ path, problem: value.problem })
    put(changed, path, value instanceof Flaw ? text : value)
  }
  return { data: changed, unresolved, flagOf, isReferenced }
}

/** A copy with no more listeners than there are flags for them, if there are any. */
function withListeners(data: Record<string, unknown>, { listen = [] }: Overrides): Record<string, unknown> {
  const copy = structuredClone(data)
  if (listen.length > 0 && Array.isArray(copy.listen)) copy.listen.length = Math.min(copy.listen.length, listen.length)
  return copy
}

interface Flag {
  readonly flag: string
  readonly path: Path
  readonly text: string
}

function flagsOf({ nodeId, listen = [], admin, store, routeMatch }: Overrides): Flag[] {
  const single: [string, Path, string | undefined][] = [
    ['--node-id', ['node', 'id'], nodeId],
    ['--admin', ['admin', 'address'], admin],
    ['--store', ['store', 'url'], store],
    ['--route-match', ['routeMatch'], routeMatch],
  ]
  return [
    ...single.flatMap(([flag, path, text]) => (text === undefined ? [] : [{ flag, path, text }])),
    ...listen.map((text, index) => ({ flag: '--listen', path: ['listen', index, 'address'], text })),
  ]
}

function put(data: Record<string, unknown>, path: Path, value: unknown): void {
  let inside: Record<string | number, unknown> = data
  path.slice(0, -1).forEach((step, depth) => {
    if (!isMap(inside[step])) inside[step] = typeof path[depth + 1] === 'number' ? [] : {}
    inside = inside[step] as Record<string | number, unknown>
  })
  inside[path.at(-1)!] = value
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
