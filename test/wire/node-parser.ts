import { createRequire } from 'node:module'

/** What Node calls while it parses; the names are those of its C++ side. */
export interface ParserEvents {
  begin(): void
  /** Header fields beyond the first 32 of a head, and trailers. */
  fields(fields: readonly string[], target: string): void
  /** Answers 0 to read a body as framed, 1 for none, 2 for none and another protocol after the head. */
  head(head: NodeHead): 0 | 1 | 2
  body(piece: Buffer): void
  complete(): void
}

export interface NodeHead {
  readonly minorVersion: number
  /** undefined when `fields` of the events had them all. */
  readonly fields: readonly string[] | undefined
  readonly method: string
  readonly target: string
  readonly status: number
  readonly reason: string
  /** Does another protocol follow, as the fields tell? */
  readonly upgrade: boolean
}

type HeadCallback = (
  major: number,
  minor: number,
  fields: readonly string[] | undefined,
  method: number | undefined,
  target: string | undefined,
  status: number | undefined,
  reason: string | undefined,
  upgrade: boolean,
) => number

interface RawParser {
  [callback: number]: unknown
  initialize(type: number, resource: object, maxHeadBytes: number, lenientFlags: number): void
  execute(bytes: Buffer): number | (Error & { code: string })
  finish(): undefined | (Error & { code: string })
}

interface RawParserClass {
  new (): RawParser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kOnMessageBegin: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
  readonly kLenientNone: number
}

// The parser every Node server and client runs (llhttp), which Node exports under this old name only.
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  HTTPParser: RawParserClass
  methods: readonly string[]
}

// Sizes are not what the two are compared by.
const MAX_HEAD_BYTES = 1 << 20

// Node exports the methods' names but not their numbers: each is learnt from a request.
const METHODS = new Map<number, string>(methods.map((method) => [numberOf(method), method]))

function numberOf(method: string): number {
  const parser = new HTTPParser()
  let number = -1
  const head: HeadCallback = (_, __, ___, told) => {
    number = told ?? -1
    return 0
  }
  parser.initialize(HTTPParser.REQUEST, {}, MAX_HEAD_BYTES, HTTPParser.kLenientNone)
  parser[HTTPParser.kOnHeadersComplete] = head
  parser.execute(Buffer.from(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`))
  return number
}

/** Node's own HTTP/1.1 parser with every leniency off. */
export class NodeParser {
  readonly #raw = new HTTPParser()
  readonly #type: number

  constructor(reads: 'requests' | 'responses', events: ParserEvents) {
    this.#type = reads === 'requests' ? HTTPParser.REQUEST : HTTPParser.RESPONSE
    const head: HeadCallback = (_, minorVersion, fields, method, target, status, reason, upgrade) =>
      events.head({
        minorVersion,
        fields,
        method: METHODS.get(method ?? -1) ?? '',
        target: target ?? '',
        status: status ?? 0,
        reason: reason ?? '',
        upgrade,
      })
    this.#raw[HTTPParser.kOnMessageBegin] = () => events.begin()
    this.#raw[HTTPParser.kOnHeaders] = (fields: string[], target: string) => events.fields(fields, target)
    this.#raw[HTTPParser.kOnHeadersComplete] = head
    this.#raw[HTTPParser.kOnBody] = (piece: Buffer) => events.body(piece)
    this.#raw[HTTPParser.kOnMessageComplete] = () => events.complete()
  }

  /** Ready for a new connection. */
  restart(): void {
    this.#raw.initialize(this.#type, {}, MAX_HEAD_BYTES, HTTPParser.kLenientNone)
  }

  /** Answers how many bytes it took (fewer than given only where another protocol begins), or its error's code. */
  execute(bytes: Buffer): number | string {
    const result = this.#raw.execute(bytes)
    return typeof result === 'number' ? result : result.code
  }

  /** Tells it the connection's end; answers its error's code if that is wrong. */
  finish(): string | undefined {
    return this.#raw.finish()?.code
  }
}
