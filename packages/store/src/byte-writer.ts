import { codeOf, firstCode } from './words.ts'

/** Writes numbers and short strings one after the other into a buffer that grows and is used again. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(16 * 1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return taken
  }

  unsigned(value: number, width: number): void {
    this.#reserve(width)
    this.#length = this.#bytes.writeUIntBE(value, this.#length, width)
  }

  double(value: number): void {
    this.#reserve(8)
    this.#length = this.#bytes.writeDoubleBE(value, this.#length)
  }

  /** Exactly `width` bytes from base64url text; what is missing is zero. */
  base64(text: string, width: number): void {
    this.#reserve(width)
    const written = this.#bytes.write(text, this.#length, width, 'base64url')
    if (written < width) this.#bytes.fill(0, this.#length + written, this.#length + width)
    this.#length += width
  }

  /** One byte for a common word; else as `literal`. */
  text(text: string): void {
    const code = codeOf(text)
    if (code === undefined) this.literal(text)
    else this.unsigned(code, 1)
  }

  /** One byte of length and at most 239 bytes of text; what is longer is clipped. */
  literal(text: string): void {
    this.#reserve(firstCode)
    const written = this.#bytes.write(text, this.#length + 1, firstCode - 1, 'utf8')
    this.#bytes[this.#length] = written
    this.#length += written + 1
  }

  /** Leaves room for a 16-bit length and answers where, for `close`. */
  open(): number {
    this.#reserve(2)
    this.#length += 2
    return this.#length
  }

  /** Writes the number of bytes since `open`. */
  close(opened: number): void {
    this.#bytes.writeUInt16BE(this.#length - opened, opened - 2)
  }

  #reserve(width: number): void {
    if (this.#length + width <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(this.#bytes.length * 2)
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
