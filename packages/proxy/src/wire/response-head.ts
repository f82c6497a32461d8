import { FieldTable } from './field-table.ts'
import { faultOfBytes, findField, splitFields, tokensOf, visitFields } from './fields.ts'
import { CHUNKED, type Framing, faultOfCoding, readCoding, readLength, UNTIL_CLOSE } from './framing.ts'
import type { HeadLimits } from './limits.ts'
import { Malformed } from './malformed.ts'
import { PassedLines, withoutNominated } from './passed-lines.ts'

/** A backend's response head, parsed strictly, and what we add to it before it leaves. */
export interface ResponseHead {
  readonly status: number
  /** Name, value, name, value …, as received. */
  readonly fields: readonly string[]
  /** The values of its Set-Cookie fields, in order. */
  readonly setCookies: readonly string[]
  /** The value of the first field of that name, given in lower case, as received. */
  header(name: string): string | undefined
  /** Changes the values of all fields of that name on their way to the client. */
  changeField(name: string, change: (value: string) => string): void
  /** Adds a Set-Cookie field of ours; `keepPrivate` marks the response `Cache-Control: private` too. */
  addCookie(value: string, options: { keepPrivate: boolean }): void
}

/** What relaying needs besides. */
export interface ParsedResponse extends ResponseHead {
  readonly reason: string
  /** Of the message as sent, whatever the request's method makes of it. */
  readonly framing: Framing
  /** The Content-Length field, which a response to HEAD or a 304 has without a body. */
  readonly length: number | undefined
  /** May the backend's connection serve another request? */
  readonly persistent: boolean
  /** Seconds the backend promises to keep an idle connection (`Keep-Alive: timeout=`). */
  readonly idleHint: number | undefined
  /** The Trailer field: names of trailers that may end a chunked body; empty without one. */
  readonly trailer: string
  /** The protocol a 101 switches to, if its Connection field says so too. */
  readonly upgrade: string | undefined
  /** Header lines for the client besides framing, each ended by CR LF: the backend's, then ours. */
  lines(): string
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/

/** Parses a head up to and without its final empty line; every fault is one of `Malformed`. */
export function parseResponseHead(text: string, limits: HeadLimits): ParsedResponse | Malformed {
  const lineEnd = text.indexOf('\r\n')
  const line = STATUS_LINE.exec(text.slice(0, lineEnd))
  if (line === null) return faultOfBytes(text) ?? Malformed.statusLine
  const head = new Head(text, lineEnd + 2, line[1] === '1' ? 1 : 0, Number(line[2]), line[3] ?? '')
  return visitFields(text, lineEnd + 2, limits.fields, head) ?? head.finish() ?? head
}

const NONE: readonly string[] = []

class Head implements ParsedResponse {
  readonly status: number
  readonly reason: string
  setCookies: readonly string[] = NONE
  framing: Framing = UNTIL_CLOSE
  length: number | undefined
  persistent = false
  idleHint: number | undefined
  upgrade: string | undefined
  readonly #minorVersion: 0 | 1
  readonly #text: string
  readonly #fieldsStart: number
  readonly #lines: PassedLines
  #passed = ''
  #added = ''
  #keptPrivate = false
  // Read by the field readers below, judged together by `finish`.
  coding: string | undefined
  connection = ''
  trailer = ''

  constructor(text: string, fieldsStart: number, minorVersion: 0 | 1, status: number, reason: string) {
    this.#text = text
    this.#fieldsStart = fieldsStart
    this.#minorVersion = minorVersion
    this.#lines = new PassedLines(text)
    this.status = status
    this.reason = reason
  }

  get fields(): readonly string[] {
    return splitFields(this.#text.slice(this.#fieldsStart))
  }

  header(name: string): string | undefined {
    return findField(this.#text, this.#fieldsStart, name)
  }

  changeField(name: string, change: (value: string) => string): void {
    const line = new RegExp(`^(${name}): ?([^\\r]*)\\r\\n`, 'gim')
    this.#passed = this.#passed.replace(line, (_, written: string, value: string) => `${written}: ${change(value)}\r\n`)
  }

  addCookie(value: string, options: { keepPrivate: boolean }): void {
    this.#added += `Set-Cookie: ${value}\r\n`
    this.#keptPrivate ||= options.keepPrivate
  }

  lines(): string {
    if (this.#added === '') return this.#passed
    return (this.#keptPrivate ? madePrivate(this.#passed) : this.#passed) + this.#added
  }

  field(line: number, name: number, value: number, valueEnd: number, lineEnd: number): Malformed | undefined {
    const read = READ.find(this.#text, line, name)
    if (read === undefined || read === readSetCookie) this.#lines.pass(line, name, value, valueEnd, lineEnd)
    return read?.(this, this.#text.slice(value, valueEnd), valueEnd !== lineEnd - 2)
  }

  finish(): Malformed | undefined {
    return this.#finishFraming() ?? this.#finishConnection()
  }

  #finishFraming(): Malformed | undefined {
    if (this.coding === undefined) {
      this.framing = this.length ?? UNTIL_CLOSE
      return undefined
    }
    if (this.#minorVersion === 0) return Malformed.codingOnOldVersion
    if (this.length !== undefined) return Malformed.lengthAndCoding
    this.framing = CHUNKED
    return faultOfCoding(this.coding)
  }

  #finishConnection(): Malformed | undefined {
    const options = this.connection === '' ? NONE : tokensOf(this.connection)
    if (options === undefined) return Malformed.connectionInvalid
    this.persistent = !options.includes('close') && (this.#minorVersion === 1 || options.includes('keep-alive'))
    if (this.#minorVersion === 0 || !options.includes('upgrade')) this.upgrade = undefined
    this.#passed = options.length === 0 ? this.#lines.toString() : withoutNominated(this.#lines.toString(), options)
    return undefined
  }
}

/** `padded` tells that white space follows the value. */
type FieldReader = (head: Head, value: string, padded: boolean) => Malformed | undefined

const dropped: FieldReader = () => undefined

const listed =
  (property: 'connection' | 'trailer'): FieldReader =>
  (head, value) => {
    const before = head[property]
    head[property] = before === '' ? value : `${before}, ${value}`
    return undefined
  }

/** The fields that are ours to write towards a client, and Set-Cookie, which is read and passed. All others just pass. */
const READ: FieldTable<FieldReader> = new FieldTable<FieldReader>({
  'set-cookie': readSetCookie,
  'content-length': readLength,
  'transfer-encoding': readCoding,
  connection: listed('connection'),
  'keep-alive': readKeepAlive,
  upgrade: readUpgrade,
  trailer: listed('trailer'),
  te: dropped,
  'proxy-connection': dropped,
  'proxy-authenticate': dropped,
  'proxy-authorization': dropped,
  'x-request-id': dropped,
})

function readSetCookie(head: Head, value: string): undefined {
  head.setCookies = head.setCookies === NONE ? [value] : [...head.setCookies, value]
}

function readUpgrade(head: Head, value: string): undefined {
  head.upgrade = head.upgrade === undefined ? value : `${head.upgrade}, ${value}`
}

function readKeepAlive(head: Head, value: string): undefined {
  const seconds = /(?:^|[,\s])timeout=([0-9]{1,9})(?:$|[,\s])/i.exec(value)?.[1]
  if (seconds !== undefined) head.idleHint = Number(seconds)
}

const CACHE_CONTROL = /^cache-control:/im

/** No shared cache may keep a response that carries one client's cookie (docs/affinity.md). */
function madePrivate(lines: string): string {
  if (!CACHE_CONTROL.test(lines)) return `${lines}Cache-Control: private\r\n`
  let directives = ''
  const rest = lines.replace(/^cache-control:([^\r]*)\r\n/gim, (_, value: string) => {
    directives += `,${value}`
    return ''
  })
  const kept = splitDirectives(directives).filter((directive) => !/^(?:public|private|s-maxage)\b/i.test(directive))
  const restriction = kept.some((directive) => /^no-store\b/i.test(directive)) ? kept : ['private', ...kept]
  return `${rest}Cache-Control: ${restriction.join(', ')}\r\n`
}

const splitDirectives = (list: string): string[] => list.match(/[^\s,"=]+(?:=(?:"[^"]*"|[^\s,"]*))?/g) ?? []
