/** What came of a response's body while its first piece is still being heard: at most what one read brought. */
export class HeldBody {
  readonly #pieces: Buffer[] = []
  /** Set once the body is whole. */
  trailers: string | undefined

  /** Keeps a copy: the piece is only lent. */
  add(piece: Buffer): void {
    this.#pieces.push(Buffer.from(piece))
  }

  end(trailers: string): void {
    this.trailers = trailers
  }

  get pieces(): readonly Buffer[] {
    return this.#pieces
  }
}
