import { faultOfUnfinished } from './fields.ts'
import { Malformed } from './malformed.ts'

const HEAD_END = '\r\n\r\n'
const CR = 0x0d

/** Gathers a head from the bytes of a connection, in whatever pieces they arrive. */
export class HeadCollector {
  readonly #limit: number
  #partial = ''
  /** Where the bytes after the head begin, once `collect` answered one. */
  next = 0

  /** `limit`: most bytes of a head. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Has part of a head come? */
  get begun(): boolean {
    return this.#partial !== ''
  }

  /** The head up to and without its final empty line, once it is whole; undefined: more bytes are needed. */
  collect(bytes: Buffer, at: number): string | Malformed | undefined {
    if (this.#partial !== '') return this.#collectMore(bytes, at)
    const found = bytes.indexOf(HEAD_END, at, 'latin1')
    if (found === -1) return this.#keep(bytes.toString('latin1', at), 0)
    this.next = found + HEAD_END.length
    return found - at > this.#limit ? Malformed.headLong : bytes.toString('latin1', at, found + 2)
  }

  #collectMore(bytes: Buffer, at: number): string | Malformed | undefined {
    const before = this.#partial.length
    const text = this.#partial + bytes.toString('latin1', at)
    const found = text.indexOf(HEAD_END, Math.max(0, before - HEAD_END.length + 1))
    if (found === -1) return this.#keep(text, before)
    this.#partial = ''
    this.next = at + found + HEAD_END.length - before
    return found > this.#limit ? Malformed.headLong : text.slice(0, found + 2)
  }

  /** Judges what is new at once, so that a bare LF is answered now and not by a time-out. */
  #keep(text: string, before: number): Malformed | undefined {
    this.#partial = text
    if (text.length > this.#limit + HEAD_END.length) return Malformed.headLong
    const from = text.charCodeAt(before - 1) === CR ? before - 1 : before
    return faultOfUnfinished(text.slice(from))
  }
}
