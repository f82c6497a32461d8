import { Malformed } from './malformed.ts'

// RFC 9110 5.6.2: tchar.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// RFC 9110 5.5: CR, LF and NUL never, other control bytes neither; bytes 0x80-0xFF pass (obs-text).
// biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/
const BARE_LINE_END = /\r(?!\n)|(?<!\r)\n/
// All header lines at once, which costs a third of looking for each fault: names, values as above, CR LF.
const LINES = /(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/y

const TAB = 0x09
const SPACE = 0x20

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

/** Walks the header lines of `text` from `start` to its end. */
export function visitFields(text: string, start: number, limit: number, visitor: FieldVisitor): Malformed | undefined {
  LINES.lastIndex = start
  if (!LINES.test(text)) return faultOfBytes(text) ?? faultOfNames(text, start)
  let count = 0
  let underscore = -1
  for (let line = start; line < text.length; ) {
    if (++count > limit) return Malformed.headFields
    if (underscore < line) underscore = nextUnderscore(text, line)
    const name = text.indexOf(':', line)
    const end = text.indexOf('\r\n', name)
    const fault = visitLine(text, line, name, end, underscore < name, visitor)
    if (fault !== undefined) return fault
    line = end + 2
  }
  return undefined
}

function nextUnderscore(text: string, from: number): number {
  const found = text.indexOf('_', from)
  return found === -1 ? text.length : found
}

function visitLine(
  text: string,
  line: number,
  name: number,
  end: number,
  underscored: boolean,
  visitor: FieldVisitor,
): Malformed | undefined {
  let value = name + 1
  let valueEnd = end
  while (value < valueEnd && isBlank(text.charCodeAt(value))) value++
  while (valueEnd > value && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
  return visitor.field(line, name, value, valueEnd, end + 2, underscored)
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB

const NAMED = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:/
const BLANK_IN_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]/

/** The fault of the first line that has no proper name. */
function faultOfNames(text: string, start: number): Malformed {
  const lines = text.slice(start).split('\r\n')
  const at = lines.findIndex((line) => !NAMED.test(line))
  const line = lines[at]!
  if (isBlank(line.charCodeAt(0))) return at === 0 ? Malformed.leadingSpace : Malformed.folded
  return BLANK_IN_NAME.test(line) ? Malformed.spaceBeforeColon : Malformed.fieldName
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

/** The value of the first field of that name, given in lower case, among accepted header lines from `start` on. */
export function findField(text: string, start: number, name: string): string | undefined {
  for (let line = start; line < text.length; ) {
    const colon = text.indexOf(':', line)
    const end = text.indexOf('\r\n', colon)
    if (colon - line === name.length && text.slice(line, colon).toLowerCase() === name)
      return text.slice(colon + 1, end).trim()
    line = end + 2
  }
  return undefined
}

// What nearly every Connection field says.
const KEEP_ALIVE: readonly string[] = ['keep-alive']

/** The members of a comma-separated list, lower-cased; undefined when one is no token (RFC 9110 5.6.1, empty members ignored). */
export function tokensOf(list: string): readonly string[] | undefined {
  if (list === 'keep-alive') return KEEP_ALIVE
  const tokens = list
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((token) => token !== '')
  return tokens.every(isToken) ? tokens : undefined
}
