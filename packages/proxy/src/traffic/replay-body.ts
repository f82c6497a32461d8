import { CHUNKED, type Framing } from '../wire/framing.ts'

/** A request's body as it was sent to a backend, as long as it is small enough to be sent to another one, too. */
export class ReplayBody {
  readonly #most: number
  #pieces: Buffer[] | undefined = []
  #size = 0

  /** Undefined when a body of that framing is too large. */
  static of(framing: Framing, most: number): ReplayBody | undefined {
    return most > 0 && (framing === CHUNKED || framing <= most) ? new ReplayBody(most) : undefined
  }

  private constructor(most: number) {
    this.#most = most
  }

  /** What there is of it; undefined when it grew too large. */
  get pieces(): readonly Buffer[] | undefined {
    return this.#pieces
  }

  /** Keeps a copy: the piece is only lent. */
  add(piece: Buffer): void {
    this.#size += piece.length
    if (this.#size > this.#most) this.#pieces = undefined
    this.#pieces?.push(Buffer.from(piece))
  }
}
