import type { Socket } from 'node:net'

// Below this a piece costs less copied behind the text before it than written on its own.
const COPIED_BYTES = 4 * 1024

/** What Node itself asks whether a write goes on: a stream tells only when a write is over, and one may take a slow client minutes. */
interface Handled {
  readonly _handle?: { readonly writeQueueSize: number } | null
}

/**
 * Writes to a client: text and small pieces gather and leave in one write, large pieces leave from the buffer they are in,
 * without a copy.
 */
export class ClientWriter {
  readonly #socket: Socket
  readonly #onWritten: () => void
  #text = ''
  #waiting = 0
  #queued = 0
  /** Bytes of body content written since the last reset. */
  content = 0

  /** `onProgress` is called whenever nothing written before is still waiting. */
  constructor(socket: Socket, onProgress: () => void) {
    this.#socket = socket
    this.#onWritten = () => {
      if (socket.writableLength === 0) onProgress()
    }
    socket.on('drain', this.#onWritten)
  }

  /** Latin-1 text, which leaves with the next flush or large piece. */
  text(text: string): void {
    this.#text += text
  }

  /** A piece of content between two texts. False: it, or much before it, still waits; its bytes must stay until progress. */
  piece(piece: Buffer, before: string, after: string): boolean {
    this.content += piece.length
    if (piece.length > COPIED_BYTES) return this.#large(piece, before, after)
    this.#text += before + piece.toString('latin1') + after
    return this.#text.length < COPIED_BYTES || this.flush()
  }

  #large(piece: Buffer, before: string, after: string): boolean {
    this.#socket.cork()
    this.text(before)
    this.flush()
    this.#socket.write(piece, this.#onWritten)
    this.#socket.uncork()
    this.text(after)
    return this.#socket.writableLength === 0
  }

  /** Has all that was written left for the client? */
  get idle(): boolean {
    return this.#text === '' && this.#socket.writableLength === 0
  }

  /** Has the client, since this was last asked, taken some of what waits for it? */
  moved(): boolean {
    const waiting = this.#socket.writableLength
    const queued = (this.#socket as unknown as Handled)._handle?.writeQueueSize ?? 0
    const moved = waiting < this.#waiting || queued < this.#queued
    this.#waiting = waiting
    this.#queued = queued
    return moved
  }

  /** Lets what was gathered leave; false: the client is slow to read. */
  flush(): boolean {
    if (this.#text === '') return true
    const text = this.#text
    this.#text = ''
    if (this.#socket.writableLength === 0) return this.#socket.write(text, 'latin1')
    // It may leave after the piece before it, and too little waits for a `drain`.
    return this.#socket.write(text, 'latin1', this.#onWritten)
  }
}
