/**
 * Reads and edits Cookie fields. A field is pairs between semicolons and nothing else ends a pair, so that no quote, comma
 * or nameless value of one cookie can hide another.
 */

/** Where the value of the next cookie of that name begins, looking from `from` on; -1 when there is none. */
export function findCookie(field: string, name: string, from = 0): number {
  for (let at = field.indexOf(name, from); at >= 0; at = field.indexOf(name, at + 1)) {
    if (!beginsPair(field, at)) continue
    const equals = skipBlanks(field, at + name.length)
    if (field.charCodeAt(equals) === equalsSign) return equals + 1
  }
  return -1
}

/** The value that begins there, without blanks around it. */
export function cookieValueAt(field: string, start: number): string {
  const semicolon = field.indexOf(';', start)
  let end = semicolon < 0 ? field.length : semicolon
  const from = skipBlanks(field, start)
  while (end > from && isBlank(field.charCodeAt(end - 1))) end--
  return field.slice(from, end)
}

/** The value of the first cookie of that name. */
export function cookieValue(field: string, name: string): string | undefined {
  const start = findCookie(field, name)
  return start < 0 ? undefined : cookieValueAt(field, start)
}

/** The field without the cookies of that name, every other byte of it kept; undefined when nothing remains. */
export function withoutCookie(field: string, name: string): string | undefined {
  let start = findCookie(field, name)
  if (start < 0) return field
  let kept = ''
  let from = 0
  while (start >= 0) {
    kept += field.slice(from, field.lastIndexOf(';', start - 1) + 1)
    from = pairEnd(field, start)
    start = findCookie(field, name, from)
  }
  return withoutBlanks(from < field.length ? kept + field.slice(from) : kept.slice(0, -1))
}

/** A cookie's value without the quotes some senders put around it. */
export function unquoted(value: string): string {
  const last = value.length - 1
  return last > 0 && value[0] === '"' && value[last] === '"' ? value.slice(1, last) : value
}

const equalsSign = 0x3d
const semicolon = 0x3b

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

function beginsPair(field: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && isBlank(field.charCodeAt(before))) before--
  return before < 0 || field.charCodeAt(before) === semicolon
}

function skipBlanks(field: string, at: number): number {
  let next = at
  while (isBlank(field.charCodeAt(next))) next++
  return next
}

/** Just past the semicolon that ends the pair. */
function pairEnd(field: string, at: number): number {
  const end = field.indexOf(';', at)
  return end < 0 ? field.length : end + 1
}

/** The rest of a field from its first pair on; undefined for blanks alone. */
function withoutBlanks(rest: string): string | undefined {
  const first = skipBlanks(rest, 0)
  if (first === rest.length) return undefined
  return first === 0 ? rest : rest.slice(first)
}
