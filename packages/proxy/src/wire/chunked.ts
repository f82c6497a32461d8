import { visitFields } from './fields.ts'
import { Malformed } from './malformed.ts'

/** Receives a chunked body's content. */
export interface ChunkSink {
  /** A piece of content: a view into the bytes given, valid during the call. */
  data(piece: Buffer): void
}

type Phase = 'size' | 'data' | 'data-end' | 'trailers' | 'done'

const EXTENSION_LIMIT = 256
const SIZE_DIGITS = 13 // 16^13 < 2^53
const TRAILER_LIMIT = 16 * 1024
const CR = 0x0d
const LF = 0x0a

// RFC 9112 7.1: chunk-size *( ";" token [ "=" ( token / quoted-string ) ] ), here without the optional white space.
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const SIZE_LINE = new RegExp(
  `^([0-9A-Fa-f]{1,${SIZE_DIGITS}})((?:;${TOKEN}(?:=(?:${TOKEN}|"[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]*"))?)*)$`,
)

/** Decodes a chunked body strictly, in whatever pieces it arrives (RFC 9112 7.1). */
export class ChunkedDecoder {
  #phase: Phase = 'size'
  #remaining = 0
  #line = ''
  /** The trailer lines, each ended by CR LF, once done. */
  trailers = ''

  get done(): boolean {
    return this.#phase === 'done'
  }

  /** Decodes from `start`; answers where the body ended, or `end` if it goes on, or why it is refused. */
  decode(bytes: Buffer, start: number, end: number, sink: ChunkSink): number | Malformed {
    let at = start
    while (at < end && this.#phase !== 'done') {
      const next = this.#phase === 'data' ? this.#takeData(bytes, at, end, sink) : this.#takeLine(bytes, at, end)
      if (next instanceof Malformed) return next
      at = next
    }
    return at
  }

  #takeData(bytes: Buffer, start: number, end: number, sink: ChunkSink): number {
    const to = Math.min(end, start + this.#remaining)
    this.#remaining -= to - start
    if (this.#remaining === 0) this.#phase = 'data-end'
    sink.data(bytes.subarray(start, to))
    return to
  }

  #takeLine(bytes: Buffer, start: number, end: number): number | Malformed {
    const lf = bytes.indexOf(LF, start)
    const complete = lf !== -1 && lf < end
    const to = complete ? lf + 1 : end
    this.#line += bytes.toString('latin1', start, to)
    const fault = this.#faultOfPartialLine()
    if (fault !== undefined) return fault
    return (complete ? this.#acceptLine() : undefined) ?? to
  }

  /** Judged before the line is whole, so that a line without end is no way to fill memory. */
  #faultOfPartialLine(): Malformed | undefined {
    const line = this.#line
    if (this.#phase === 'data-end') return '\r\n'.startsWith(line) ? undefined : Malformed.chunkEnd
    if (this.#phase === 'trailers')
      return this.trailers.length + line.length > TRAILER_LIMIT ? Malformed.trailerLong : undefined
    return line.length > SIZE_DIGITS + EXTENSION_LIMIT + 2 ? Malformed.chunkExtension : undefined
  }

  #acceptLine(): Malformed | undefined {
    const line = this.#line
    this.#line = ''
    if (line.charCodeAt(line.length - 2) !== CR) return Malformed.bareLineEnd
    if (this.#phase === 'size') return this.#acceptSize(line.slice(0, -2))
    if (this.#phase === 'trailers') return this.#acceptTrailer(line)
    this.#phase = 'size'
    return undefined
  }

  #acceptSize(line: string): Malformed | undefined {
    const parsed = SIZE_LINE.exec(line)
    if (parsed === null)
      return line.includes(';') && /^[0-9A-Fa-f]{1,13};/.test(line) ? Malformed.chunkExtension : Malformed.chunkSize
    if (parsed[2]!.length > EXTENSION_LIMIT) return Malformed.chunkExtension
    this.#remaining = Number.parseInt(parsed[1]!, 16)
    this.#phase = this.#remaining === 0 ? 'trailers' : 'data'
    return undefined
  }

  #acceptTrailer(line: string): Malformed | undefined {
    if (line !== '\r\n') {
      this.trailers += line
      return undefined
    }
    this.#phase = 'done'
    return faultOfTrailers(this.trailers)
  }
}

// RFC 9110 6.5.1: nothing that frames, routes, authenticates or modifies the request may come this late.
const FORBIDDEN =
  /^(?:content-(?:length|encoding|type|range)|transfer-encoding|host|connection|keep-alive|te|trailer|upgrade|expect|cookie|set-cookie|authorization|proxy-.*|forwarded|x-forwarded-.*|x-real-ip|x-request-id|cache-control|max-forwards|range|if-.*)$/

function faultOfTrailers(text: string): Malformed | undefined {
  if (text === '') return undefined
  return visitFields(text, 0, 100, {
    field: (line, name) =>
      FORBIDDEN.test(text.slice(line, name).toLowerCase().replaceAll('_', '-')) ? Malformed.trailerField : undefined,
  })
}
