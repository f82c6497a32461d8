import type { RefusalCode } from '../traffic/exchange-record.ts'

/**
 * Why a message is refused: one of the constants below, so that tests can count and compare them (docs/wire.md). The connection
 * closes after each. Sources: RFC 9112 for framing, RFC 9110 for fields, and caution where they leave a choice.
 */
export class Malformed {
  static readonly controlByte: Malformed = Malformed.#bad('a control byte in the head')
  static readonly bareLineEnd: Malformed = Malformed.#bad('a line not ended by CR LF')
  static readonly leadingSpace: Malformed = Malformed.#bad('white space before the first header field')
  static readonly folded: Malformed = Malformed.#bad('a folded header line')
  static readonly requestLine: Malformed = Malformed.#bad('a malformed request line')
  static readonly statusLine: Malformed = Malformed.#bad('a malformed status line')
  static readonly fieldName: Malformed = Malformed.#bad('a malformed header field name')
  static readonly spaceBeforeColon: Malformed = Malformed.#bad('white space before the colon of a header field')
  static readonly method: Malformed = Malformed.#refused(501, 'not-implemented', 'an unknown method')
  static readonly connect: Malformed = Malformed.#refused(501, 'not-implemented', 'CONNECT is not offered here')
  static readonly version: Malformed = Malformed.#refused(
    505,
    'version-not-supported',
    'only HTTP/1.0 and HTTP/1.1 are spoken here',
  )
  static readonly targetForm: Malformed = Malformed.#bad('a request target that is neither a path nor an http URL')
  static readonly targetByte: Malformed = Malformed.#bad('a byte in the request target that must be encoded')
  static readonly targetDots: Malformed = Malformed.#bad('dot segments in the request target')
  static readonly targetNul: Malformed = Malformed.#bad('an encoded NUL in the request target')
  static readonly targetLong: Malformed = Malformed.#refused(414, 'target-too-long', 'the request target is too long')
  static readonly headLong: Malformed = Malformed.#refused(431, 'head-too-large', 'the head is too large')
  static readonly headFields: Malformed = Malformed.#refused(431, 'head-too-large', 'too many header fields')
  static readonly hostMissing: Malformed = Malformed.#bad('no Host field')
  static readonly hostRepeated: Malformed = Malformed.#bad('more than one Host field')
  static readonly hostInvalid: Malformed = Malformed.#bad('an invalid Host field')
  static readonly hostMismatch: Malformed = Malformed.#bad('a Host field that differs from the request target')
  static readonly lengthRepeated: Malformed = Malformed.#bad('more than one Content-Length')
  static readonly lengthInvalid: Malformed = Malformed.#bad('an invalid Content-Length')
  static readonly lengthAndCoding: Malformed = Malformed.#bad('both Content-Length and Transfer-Encoding')
  static readonly codingRepeated: Malformed = Malformed.#bad('more than one Transfer-Encoding')
  static readonly codingOnOldVersion: Malformed = Malformed.#bad('Transfer-Encoding on HTTP/1.0')
  static readonly codingInvalid: Malformed = Malformed.#bad('an invalid Transfer-Encoding')
  static readonly codingUnknown: Malformed = Malformed.#refused(
    501,
    'not-implemented',
    'a transfer coding other than chunked',
  )
  static readonly connectionInvalid: Malformed = Malformed.#bad('an invalid Connection field')
  static readonly expectation: Malformed = Malformed.#refused(
    417,
    'bad-request',
    'an expectation other than 100-continue',
  )
  static readonly upgradeWithBody: Malformed = Malformed.#bad('an upgrade request with a body')
  static readonly chunkSize: Malformed = Malformed.#bad('an invalid chunk size')
  static readonly chunkExtension: Malformed = Malformed.#bad('an invalid or too long chunk extension')
  static readonly chunkEnd: Malformed = Malformed.#bad('a chunk not ended by CR LF')
  static readonly trailerField: Malformed = Malformed.#bad('a trailer that may not be one')
  static readonly trailerLong: Malformed = Malformed.#refused(431, 'head-too-large', 'the trailers are too large')
  static readonly interim: Malformed = Malformed.#bad('an interim response that closes, or too many of them')
  static readonly switchUnasked: Malformed = Malformed.#bad('a switch to a protocol that was not asked for')
  static readonly unasked: Malformed = Malformed.#bad('bytes that answer no request')
  static readonly headSlow: Malformed = Malformed.#refused(408, 'head-timeout', 'the request head took too long')
  static readonly bodyLong: Malformed = Malformed.#refused(413, 'body-too-large', 'the request body is too large')

  readonly status: MalformedStatus
  readonly code: RefusalCode
  /** One clause for people: what was wrong, never a byte of what was sent. */
  readonly reason: string

  constructor(status: MalformedStatus, code: RefusalCode, reason: string) {
    this.status = status
    this.code = code
    this.reason = reason
  }

  static #bad(reason: string): Malformed {
    return Malformed.#refused(400, 'bad-request', reason)
  }

  static #refused(status: MalformedStatus, code: RefusalCode, reason: string): Malformed {
    return Object.freeze(new Malformed(status, code, reason))
  }
}

export type MalformedStatus = 400 | 408 | 413 | 414 | 417 | 431 | 501 | 505
