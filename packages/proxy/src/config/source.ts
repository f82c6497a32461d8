import { type Document, LineCounter, parseDocument } from 'yaml'

import { locate, valueAt } from './document.ts'
import type { Mistake, Path, Place } from './mistakes.ts'
import { type References, resolveDocument } from './references.ts'
import type { SecretSources } from './secrets.ts'

/** A configuration file that was read as YAML, and where everything in it stands. */
export interface Source {
  /** The file as plain data, its references resolved; undefined when it is no YAML at all. */
  readonly data: unknown
  /** The same with its references as they are written. */
  readonly written: unknown
  /** What YAML itself had to object to, with its places. */
  readonly syntax: readonly (Mistake & { readonly place: Place })[]
  /** References that lead nowhere. */
  readonly unresolved: readonly Mistake[]
  /** Where the value at this path stands, or else what should contain it. */
  place(path: Path, atKey?: boolean): Place
  /** Did the value come from the environment or a file? Then it is nobody's to print. */
  isReferenced(path: Path): boolean
}

/** Reads YAML text. Never throws. */
export function readSource(text: string, sources: SecretSources): Source {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const place = placeIn(lines)
  const written = plainData(document).data
  const references = resolveDocument(document, sources)
  const { data, problem } = plainData(document)
  return {
    data,
    written,
    syntax: [
      ...[...document.errors, ...document.warnings].map((error) => ({
        path: [],
        problem: yamlProblem(error.message),
        place: place(error.pos[0]),
      })),
      ...(problem === undefined ? [] : [{ path: [], problem, place: place(0) }]),
    ],
    unresolved: references.unresolved,
    place: (path, atKey = false) => place(locate(document, path, atKey)),
    isReferenced: (path) => isReferenced(document, references, path),
  }
}

function placeIn(lines: LineCounter): (offset: number) => Place {
  return (offset) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
}

function yamlProblem(message: string): string {
  return message === 'Map keys must be unique' ? 'this key stands here twice; remove one' : `not valid YAML: ${message}`
}

function plainData(document: Document): { data?: unknown; problem?: string } {
  // A repeated key leaves the rest readable; other errors would only breed more.
  if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return {}
  try {
    return { data: document.toJS({ maxAliasCount: 100 }) }
  } catch (error) {
    return { problem: `not valid YAML: ${(error as Error).message}` }
  }
}

function isReferenced(document: Document, { resolved }: References, path: Path): boolean {
  const value = valueAt(document, path)
  return value !== undefined && resolved.has(value)
}
