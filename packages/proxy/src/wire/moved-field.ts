/** The request field that tells a backend whose session it gets instead of its home, and why. */
export class MovedField {
  readonly #name: string
  /** Look-alikes with underscores too, since some backends read them as the real one. */
  readonly #lines: RegExp

  constructor(name: string) {
    this.#name = name
    const alike = name.replace(/[^\w-]/g, '\\$&').replace(/[-_]/g, '[-_]')
    this.#lines = new RegExp(`^${alike}:[^\\r]*\\r\\n`, 'gim')
  }

  /** Header lines, each ended by CR LF, without what a client may have said. */
  without(lines: string): string {
    return lines.replace(this.#lines, '')
  }

  /** `from` is the id of a backend, `reason` a word of ours. */
  line(from: string, reason: string): string {
    // An id that nobody configured here comes from a row or a script.
    return idPattern.test(from) ? `${this.#name}: from=${from}; reason=${reason}\r\n` : ''
  }
}

const idPattern = /^[A-Za-z0-9._-]{1,64}$/
