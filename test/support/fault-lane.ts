import type { Socket } from 'node:net'

/** How bytes travel in one direction through a fault proxy; changes apply at once to connections that stand. */
export interface LaneTerms {
  readonly flows: boolean
  /** Milliseconds each chunk is held back. */
  readonly delay: number
}

/** One direction of one connection. Chunks keep their order, and a receiver that does not read holds up its sender. */
export class Lane {
  /** Bytes that pass before the connection is cut. */
  left = Number.POSITIVE_INFINITY
  readonly #from: Socket
  readonly #to: Socket
  readonly #terms: () => LaneTerms
  readonly #delayed: { readonly due: number; readonly chunk: Buffer }[] = []
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(from: Socket, to: Socket, terms: () => LaneTerms) {
    this.#from = from
    this.#to = to
    this.#terms = terms
    from.on('readable', () => this.pump())
    from.on('end', () => {
      this.#ended = true
      this.pump()
    })
    to.on('drain', () => this.pump())
    to.on('close', () => clearTimeout(this.#timer))
  }

  /** Moves what may go now. */
  pump(): void {
    if (!this.#terms().flows || this.#to.destroyed) return
    while (!this.#to.writableNeedDrain) {
      const chunk = this.#due() ?? (this.#delayed.length === 0 || this.#terms().delay > 0 ? this.#take() : null)
      if (chunk === null) break
      if (chunk !== undefined && !this.#give(chunk)) return
    }
    if (this.#ended && this.#delayed.length === 0) this.#to.end()
    else this.#wakeAtNext()
  }

  #due(): Buffer | undefined {
    const next = this.#delayed[0]
    return next !== undefined && next.due <= performance.now() ? this.#delayed.shift()!.chunk : undefined
  }

  /** What has come, unless it is put aside for a while (undefined); null: nothing has. */
  #take(): Buffer | undefined | null {
    const chunk = this.#from.read() as Buffer | null
    const { delay } = this.#terms()
    if (chunk === null || delay === 0) return chunk
    this.#delayed.push({ due: performance.now() + delay, chunk })
    return undefined
  }

  /** False: that was all that may pass. The reset comes after it, for a reset discards what has not been sent. */
  #give(chunk: Buffer): boolean {
    if (!this.#to.writable) return false
    const passing = chunk.subarray(0, this.left)
    this.left -= chunk.length
    if (this.left > 0) return this.#to.write(passing) || true
    this.#to.write(passing, () => this.#to.resetAndDestroy())
    return false
  }

  #wakeAtNext(): void {
    clearTimeout(this.#timer)
    const next = this.#delayed[0]
    if (next !== undefined) this.#timer = setTimeout(() => this.pump(), Math.max(0, next.due - performance.now()) + 1)
  }
}
