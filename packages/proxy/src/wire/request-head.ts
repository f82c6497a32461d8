import { METHODS } from 'node:http'

import { FieldTable } from './field-table.ts'
import { faultOfBytes, findField, isToken, splitFields, tokensOf, visitFields } from './fields.ts'
import { CHUNKED, type Framing, faultOfCoding, readCoding, readLength } from './framing.ts'
import type { HeadLimits } from './limits.ts'
import { Malformed } from './malformed.ts'
import { PassedLines, withoutNominated } from './passed-lines.ts'
import { isHost, parseTarget, type RequestTarget } from './request-target.ts'

/** A request's head, parsed strictly (docs/wire.md): what every other part of the proxy knows of a request. */
export interface RequestHead {
  readonly method: string
  /** Origin form (absolute form is reduced to it), as received, with its query; `*` only with OPTIONS. */
  readonly target: string
  /** The target without its query, as received. */
  readonly path: string
  readonly minorVersion: 0 | 1
  /** Name, value, name, value …, as received: case, order and duplicates kept. */
  readonly fields: readonly string[]
  /** The Host field's value as received; empty on HTTP/1.0 without one. */
  readonly host: string
  /** All Cookie fields that are not empty, joined by `; `; undefined without one. */
  readonly cookie: string | undefined
  /** The value of the first field of that name, given in lower case. */
  header(name: string): string | undefined
}

/** What forwarding and relaying need besides: produced by the same single pass over the head. */
export interface ParsedRequest extends RequestHead {
  readonly framing: Framing
  /** Was a Content-Length sent? An empty body with one keeps it. */
  readonly hasLength: boolean
  /** May the client's connection serve another request after this one? */
  readonly persistent: boolean
  /** The protocol of an upgrade that may be tunnelled; undefined otherwise. */
  readonly upgrade: string | undefined
  readonly expectsContinue: boolean
  readonly acceptsTrailers: boolean
  /** Header lines that go to the backend as they are, each ended by CR LF. */
  readonly passed: string
  /** Values of the fields only a trusted proxy may send us. */
  readonly forwarded: ForwardedFields | undefined
}

/** The forwarding fields a client sent, each joined by `, ` where it was repeated. */
export interface ForwardedFields {
  'x-forwarded-for'?: string
  'x-forwarded-proto'?: string
  'x-forwarded-host'?: string
  'x-forwarded-port'?: string
  'x-real-ip'?: string
  forwarded?: string
  'x-request-id'?: string
}

// The methods Node's parser knows; a backend on Node would refuse any other.
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS)

/** Parses a head up to and without its final empty line; every fault is one of `Malformed`. */
export function parseRequestHead(text: string, limits: HeadLimits): ParsedRequest | Malformed {
  const lineEnd = text.indexOf('\r\n')
  const line = parseRequestLine(text.slice(0, lineEnd), limits)
  if (line instanceof Malformed) return faultOfBytes(text) ?? line
  const head = new Head(text, lineEnd + 2, line)
  return visitFields(text, lineEnd + 2, limits.fields, head) ?? head.finish() ?? head
}

interface RequestLine {
  readonly method: string
  readonly minorVersion: 0 | 1
  readonly target: RequestTarget
}

function parseRequestLine(line: string, limits: HeadLimits): RequestLine | Malformed {
  const methodEnd = line.indexOf(' ')
  const targetEnd = line.indexOf(' ', methodEnd + 1)
  if (methodEnd <= 0 || targetEnd === -1) return faultOfShortLine(line)
  const method = line.slice(0, methodEnd)
  const text = line.slice(methodEnd + 1, targetEnd)
  const minorVersion = minorVersionOf(line.slice(targetEnd + 1))
  if (minorVersion instanceof Malformed) return minorVersion
  if (!KNOWN_METHODS.has(method)) return isToken(method) ? Malformed.method : Malformed.requestLine
  if (method === 'CONNECT') return Malformed.connect
  if (text.length > limits.target) return Malformed.targetLong
  const target = text === '*' && method === 'OPTIONS' ? ASTERISK : parseTarget(text)
  return target instanceof Malformed ? target : { method, minorVersion, target }
}

const ASTERISK: RequestTarget = { target: '*', path: '*', authority: undefined }

function faultOfShortLine(line: string): Malformed {
  // HTTP/0.9: a method and a target, no version.
  return /^[A-Z]+ \S+$/.test(line) ? Malformed.version : Malformed.requestLine
}

function minorVersionOf(version: string): 0 | 1 | Malformed {
  if (version === 'HTTP/1.1') return 1
  if (version === 'HTTP/1.0') return 0
  return /^HTTP\/[0-9]\.[0-9]$/.test(version) ? Malformed.version : Malformed.requestLine
}

class Head implements ParsedRequest {
  readonly method: string
  readonly target: string
  readonly path: string
  readonly minorVersion: 0 | 1
  host = ''
  cookie: string | undefined
  framing: Framing = 0
  persistent = false
  upgrade: string | undefined
  expectsContinue = false
  acceptsTrailers = false
  passed = ''
  forwarded: ForwardedFields | undefined
  readonly #text: string
  readonly #fieldsStart: number
  readonly #authority: string | undefined
  readonly #lines: PassedLines
  // Read by the field readers below, judged together by `finish`.
  hosts = 0
  length: number | undefined
  coding: string | undefined
  connection = ''
  upgradeOffer = ''
  trailer = ''

  constructor(text: string, fieldsStart: number, line: RequestLine) {
    this.method = line.method
    this.target = line.target.target
    this.path = line.target.path
    this.minorVersion = line.minorVersion
    this.#text = text
    this.#fieldsStart = fieldsStart
    this.#authority = line.target.authority
    this.#lines = new PassedLines(text)
  }

  get hasLength(): boolean {
    return this.length !== undefined
  }

  get fields(): readonly string[] {
    return splitFields(this.#text.slice(this.#fieldsStart))
  }

  header(name: string): string | undefined {
    return findField(this.#text, this.#fieldsStart, name)
  }

  field(
    line: number,
    name: number,
    value: number,
    valueEnd: number,
    lineEnd: number,
    underscored: boolean,
  ): Malformed | undefined {
    const read = this.#readerOf(line, name, underscored)
    if (read === undefined) this.#lines.pass(line, name, value, valueEnd, lineEnd)
    return read?.(this, this.#text.slice(value, valueEnd), valueEnd !== lineEnd - 2)
  }

  #readerOf(line: number, nameEnd: number, underscored: boolean): FieldReader | undefined {
    // `Content_Length` and its like: dropped, since some backends would read them as the real ones.
    if (underscored) return isOwnedField(this.#text.slice(line, nameEnd)) ? dropped : undefined
    return OWNED.find(this.#text, line, nameEnd)
  }

  finish(): Malformed | undefined {
    return this.#finishHost() ?? this.#finishFraming() ?? this.#finishConnection()
  }

  #finishHost(): Malformed | undefined {
    if (this.hosts === 0 && this.minorVersion === 1) return Malformed.hostMissing
    if (this.#authority === undefined) return undefined
    if (this.hosts === 0) this.host = this.#authority
    if (!isHost(this.#authority)) return Malformed.hostInvalid
    return this.host.toLowerCase() === this.#authority.toLowerCase() ? undefined : Malformed.hostMismatch
  }

  #finishFraming(): Malformed | undefined {
    if (this.coding === undefined) {
      this.framing = this.length ?? 0
      return undefined
    }
    if (this.minorVersion === 0) return Malformed.codingOnOldVersion
    if (this.length !== undefined) return Malformed.lengthAndCoding
    this.framing = CHUNKED
    if (this.trailer !== '') this.#lines.add(`Trailer: ${this.trailer}\r\n`)
    return faultOfCoding(this.coding)
  }

  #finishConnection(): Malformed | undefined {
    const options = this.connection === '' ? NO_OPTIONS : tokensOf(this.connection)
    if (options === undefined) return Malformed.connectionInvalid
    this.persistent =
      this.minorVersion === 1
        ? !options.includes('close')
        : options.includes('keep-alive') && !options.includes('close')
    if (this.minorVersion === 0) this.expectsContinue = false
    this.passed = options.length === 0 ? this.#lines.toString() : withoutNominated(this.#lines.toString(), options)
    const upgrades =
      this.minorVersion === 1 && options.includes('upgrade') && this.upgradeOffer.toLowerCase() === 'websocket'
    if (!upgrades) return undefined
    this.upgrade = 'websocket'
    return this.framing === 0 ? undefined : Malformed.upgradeWithBody
  }
}

const NO_OPTIONS: readonly string[] = []

/** `padded` tells that white space follows the value. */
type FieldReader = (head: Head, value: string, padded: boolean) => Malformed | undefined

const dropped: FieldReader = () => undefined

const listed =
  (property: 'connection' | 'upgradeOffer' | 'trailer'): FieldReader =>
  (head, value) => {
    const before = head[property]
    head[property] = before === '' ? value : `${before}, ${value}`
    return undefined
  }

const forwardedField =
  (name: keyof ForwardedFields): FieldReader =>
  (head, value) => {
    head.forwarded ??= {}
    const before = head.forwarded[name]
    head.forwarded[name] = before === undefined ? value : `${before}, ${value}`
    return undefined
  }

/** The fields that are ours to write towards a backend: framing, hop-by-hop, Host, Cookie, forwarding. All others pass. */
const OWNED: FieldTable<FieldReader> = new FieldTable<FieldReader>({
  host: readHost,
  cookie: readCookie,
  'content-length': readLength,
  'transfer-encoding': readCoding,
  connection: listed('connection'),
  expect: readExpectation,
  upgrade: listed('upgradeOffer'),
  te: readAccepted,
  trailer: listed('trailer'),
  'keep-alive': dropped,
  'proxy-connection': dropped,
  'proxy-authenticate': dropped,
  'proxy-authorization': dropped,
  'x-forwarded-for': forwardedField('x-forwarded-for'),
  'x-forwarded-proto': forwardedField('x-forwarded-proto'),
  'x-forwarded-host': forwardedField('x-forwarded-host'),
  'x-forwarded-port': forwardedField('x-forwarded-port'),
  'x-real-ip': forwardedField('x-real-ip'),
  forwarded: forwardedField('forwarded'),
  'x-request-id': forwardedField('x-request-id'),
})

/** Is a field of that name, underscores taken for hyphens, ours to write towards a backend? */
export const isOwnedField = (name: string): boolean => OWNED.has(name.toLowerCase().replaceAll('_', '-'))

function readHost(head: Head, value: string): Malformed | undefined {
  head.host = value
  if (++head.hosts > 1) return Malformed.hostRepeated
  return isHost(value) ? undefined : Malformed.hostInvalid
}

function readCookie(head: Head, value: string): undefined {
  if (value !== '') head.cookie = head.cookie === undefined ? value : `${head.cookie}; ${value}`
}

function readExpectation(head: Head, value: string): Malformed | undefined {
  head.expectsContinue = true
  return value.toLowerCase() === '100-continue' ? undefined : Malformed.expectation
}

function readAccepted(head: Head, value: string): undefined {
  head.acceptsTrailers ||= tokensOf(value.replace(/;[^,]*/g, ''))?.includes('trailers') ?? false
}
