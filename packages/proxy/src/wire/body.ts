import { ChunkedDecoder, type ChunkSink } from './chunked.ts'
import { CHUNKED, type Framing, UNTIL_CLOSE } from './framing.ts'
import type { Malformed } from './malformed.ts'

/** Finds a body's content and its end in the bytes of a connection, in whatever pieces they arrive. */
export interface BodyReader {
  readonly done: boolean
  /** Trailer lines of a chunked body, each ended by CR LF; empty otherwise. */
  readonly trailers: string
  /** Gives content from `start` on to the sink; answers where the body ended, `end` if it goes on, or why it is refused. */
  decode(bytes: Buffer, start: number, end: number, sink: ChunkSink): number | Malformed
}

/** The reader of a body that is not empty. */
export function bodyReader(framing: Framing): BodyReader {
  if (framing === CHUNKED) return new ChunkedDecoder()
  return new CountedReader(framing === UNTIL_CLOSE ? Number.POSITIVE_INFINITY : framing)
}

class CountedReader implements BodyReader {
  readonly trailers = ''
  #remaining: number

  constructor(length: number) {
    this.#remaining = length
  }

  get done(): boolean {
    return this.#remaining === 0
  }

  decode(bytes: Buffer, start: number, end: number, sink: ChunkSink): number {
    const to = Math.min(end, start + this.#remaining)
    this.#remaining -= to - start
    sink.data(start === 0 && to === bytes.length ? bytes : bytes.subarray(start, to))
    return to
  }
}

/** The line before a chunk of that many bytes. */
export const chunkStart = (length: number): string => `${length.toString(16)}\r\n`

/** What ends a chunked body, with its trailer lines. */
export const chunkedEnd = (trailers: string): string => `0\r\n${trailers}\r\n`
