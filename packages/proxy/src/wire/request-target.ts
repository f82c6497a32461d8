import { Malformed } from './malformed.ts'

/** A request target in the only form backends see: a path with its query, and the authority it named if it was absolute. */
export interface RequestTarget {
  readonly target: string
  readonly path: string
  /** Of an absolute-form target; undefined for a path. */
  readonly authority: string | undefined
}

// Visible ASCII without `#` and backslash, which parsers disagree about.
const BYTES = /^[!"$-[\]-~]+$/
// A dot segment, raw or encoded, also where an encoded slash or a path parameter bounds it.
const DOT_SEGMENT = /(?:\/|%2f|%5c)(?:\.|%2e){1,2}(?=$|[/;]|%2f|%5c|%3b)/i
const ABSOLUTE = /^https?:\/\/([^/?]+)(.*)$/i

/** Parses origin and absolute form; `*` is the caller's affair (only OPTIONS may name it). */
export function parseTarget(text: string): RequestTarget | Malformed {
  if (!BYTES.test(text)) return text === '' ? Malformed.requestLine : Malformed.targetByte
  if (text.charCodeAt(0) === 0x2f) return originForm(text, undefined)
  const absolute = ABSOLUTE.exec(text)
  if (absolute === null) return Malformed.targetForm
  const rest = absolute[2]!
  return originForm(rest.startsWith('/') ? rest : `/${rest}`, absolute[1]!)
}

function originForm(target: string, authority: string | undefined): RequestTarget | Malformed {
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  const fault = faultOfPath(path, target)
  return fault ?? { target, path, authority }
}

function faultOfPath(path: string, target: string): Malformed | undefined {
  if (target.includes('%') && target.includes('%00')) return Malformed.targetNul
  const suspicious = path.includes('/.') || path.includes('%')
  return suspicious && DOT_SEGMENT.test(path) ? Malformed.targetDots : undefined
}

const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/

/** Is it a Host field's value: a name or address with an optional port (RFC 9110 7.2)? */
export const isHost = (value: string): boolean => HOST.test(value)
