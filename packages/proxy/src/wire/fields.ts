import { Malformed } from './malformed.ts'

// RFC 9110 5.6.2: tchar.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// RFC 9110 5.5: CR, LF and NUL never, other control bytes neither; bytes 0x80-0xFF pass (obs-text).
// biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/
const BARE_LINE_END = /\r(?!\n)|(?<!\r)\n/

const TAB = 0x09
const SPACE = 0x20
const COLON = 0x3a

export const isToken = (text: string): boolean => TOKEN.test(text)

/** The first fault of a head's bytes, whatever its lines mean. */
export function faultOfBytes(text: string): Malformed | undefined {
  if (CONTROL.test(text)) return Malformed.controlByte
  if (BARE_LINE_END.test(text)) return Malformed.bareLineEnd
  return undefined
}

/** The fault an unfinished head already has, so that a bare LF is answered at once and not by a time-out. */
export function faultOfUnfinished(text: string): Malformed | undefined {
  return faultOfBytes(text.endsWith('\r') ? text.slice(0, -1) : text)
}

/** Receives the header lines of a head, one by one; a refusal stops the walk. */
export interface FieldVisitor {
  /**
   * `line` and `lineEnd` bound the line with its CR LF, `name` ends the name, `value` and `valueEnd` bound the trimmed value.
   * `underscored` tells that the name has an underscore, which CGI-like backends read as a hyphen.
   */
  field(
    line: number,
    name: number,
    value: number,
    valueEnd: number,
    lineEnd: number,
    underscored: boolean,
  ): Malformed | undefined
}

/** Walks the header lines of `text` from `start` to its end; each ends with CR LF. */
export function visitFields(text: string, start: number, limit: number, visitor: FieldVisitor): Malformed | undefined {
  let count = 0
  for (let line = start; line < text.length; ) {
    if (++count > limit) return Malformed.headFields
    const end = text.indexOf('\r\n', line)
    const fault = visitLine(text, line, end, line === start, visitor)
    if (fault !== undefined) return fault
    line = end + 2
  }
  return undefined
}

const IN_TOKEN = 1
const UNDERSCORE = 2
// What each byte may be: a plain table, since this loop sees every byte of every header name.
const KIND: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) =>
  isToken(String.fromCharCode(code)) ? IN_TOKEN | (code === 0x5f ? UNDERSCORE : 0) : 0,
)

function visitLine(
  text: string,
  line: number,
  end: number,
  first: boolean,
  visitor: FieldVisitor,
): Malformed | undefined {
  let seen = 0
  let name = line
  for (let kind = 0; name < end; name++, seen |= kind) {
    kind = KIND[text.charCodeAt(name)]!
    if (kind === 0) break
  }
  if (name === line || name === end || text.charCodeAt(name) !== COLON) return faultOfName(text, line, name, end, first)
  let value = name + 1
  let valueEnd = end
  while (value < valueEnd && isBlank(text.charCodeAt(value))) value++
  while (valueEnd > value && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
  return visitor.field(line, name, value, valueEnd, end + 2, (seen & UNDERSCORE) !== 0)
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB

function faultOfName(text: string, lineStart: number, nameEnd: number, lineEnd: number, first: boolean): Malformed {
  if (isBlank(text.charCodeAt(lineStart))) return first ? Malformed.leadingSpace : Malformed.folded
  const spaceThenColon = nameEnd > lineStart && nameEnd < lineEnd && isBlank(text.charCodeAt(nameEnd))
  return spaceThenColon ? Malformed.spaceBeforeColon : Malformed.fieldName
}

/** The fields of accepted header lines as name, value, name, value …. */
export function splitFields(text: string): string[] {
  const fields: string[] = []
  visitFields(text, 0, Number.POSITIVE_INFINITY, {
    field(line, name, value, valueEnd) {
      fields.push(text.slice(line, name), text.slice(value, valueEnd))
      return undefined
    },
  })
  return fields
}

/** The value of the first field of that name, given in lower case. */
export function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    const candidate = fields[i]!
    if (candidate.length === name.length && candidate.toLowerCase() === name) return fields[i + 1]
  }
  return undefined
}

/** The members of a comma-separated list, lower-cased; undefined when one is no token (RFC 9110 5.6.1, empty members ignored). */
export function tokensOf(list: string): string[] | undefined {
  const tokens: string[] = []
  for (const member of list.split(',')) {
    const token = member.trim().toLowerCase()
    if (token === '') continue
    if (!isToken(token)) return undefined
    tokens.push(token)
  }
  return tokens
}
