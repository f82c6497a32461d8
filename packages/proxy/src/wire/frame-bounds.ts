const shortLength = 125
const lengthOf16Bits = 126
const longestHead = 14

/** Follows one direction of a WebSocket (RFC 6455, section 5.2) and knows whether it is between two frames. */
export class FrameBounds {
  /** Bytes of the payload that have yet to pass. */
  #left = 0
  /** The head of a frame as far as it has passed. */
  readonly #head = Buffer.alloc(longestHead)
  #headLength = 0

  /** Could a frame begin now? */
  get between(): boolean {
    return this.#left === 0 && this.#headLength === 0
  }

  /** Notes bytes that pass. */
  pass(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, bytes.length - at)
        this.#left -= passed
        at += passed
      } else {
        this.#head[this.#headLength++] = bytes[at++]!
        if (this.#headLength === this.#wholeHead) this.#endHead()
      }
    }
  }

  get #wholeHead(): number {
    if (this.#headLength < 2) return 2
    const second = this.#head[1]!
    const code = second & 0x7f
    const extended = code <= shortLength ? 0 : code === lengthOf16Bits ? 2 : 8
    return 2 + extended + (second & 0x80 ? 4 : 0)
  }

  #endHead(): void {
    const code = this.#head[1]! & 0x7f
    if (code <= shortLength) this.#left = code
    else this.#left = code === lengthOf16Bits ? this.#head.readUInt16BE(2) : Number(this.#head.readBigUInt64BE(2))
    this.#headLength = 0
  }
}

/** A server's closing frame with that code. */
export function closingFrame(code: number): Buffer {
  return Buffer.of(0x88, 2, code >> 8, code & 0xff)
}
