import type { Socket } from 'node:net'

// Below this a piece costs less copied behind the text before it than written on its own.
const COPIED_BYTES = 4 * 1024

/** What Node itself asks whether a write goes on: a stream tells only when a write is over, and one may take a slow client minutes. */
interface Handled {
  readonly _handle?: { readonly bytesWritten: number; readonly writeQueueSize: number } | null
}

/**
 * Writes to a client: text and small pieces gather and leave in one write, large pieces leave from the buffer they are in,
 * without a copy.
 */
export class ClientWriter {
  readonly #socket: Socket
  readonly #beneath: Socket
  readonly #onWritten: () => void
  #text = ''
  #taken = 0
  /** Bytes of body content written since the last reset. */
  content = 0

  /** `onProgress` is called whenever nothing written before is still waiting; `beneath` is the connection, should TLS be over it. */
  constructor(socket: Socket, onProgress: () => void, beneath: Socket = socket) {
    this.#socket = socket
    this.#beneath = beneath
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

  /** Bytes that the client has taken of what waits for it, since this was last asked. */
  taken(): number {
    const handle = (this.#beneath as unknown as Handled)._handle
    const taken = handle ? handle.bytesWritten - handle.writeQueueSize : this.#taken
    const since = taken - this.#taken
    this.#taken = taken
    return since
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
