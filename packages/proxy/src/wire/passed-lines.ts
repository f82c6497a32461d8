const SPACE = 0x20

/** Collects the header lines that are passed on as they came: neighbours leave as one slice of the head. */
export class PassedLines {
  readonly #text: string
  #lines = ''
  #from = 0
  #to = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Passes a line on, with one space after its colon and none at its end, whatever it had. */
  pass(line: number, name: number, value: number, valueEnd: number, lineEnd: number): void {
    const canonical = value === name + 2 && valueEnd === lineEnd - 2 && this.#text.charCodeAt(name + 1) === SPACE
    if (canonical) this.#passSlice(line, lineEnd)
    else this.add(`${this.#text.slice(line, name)}: ${this.#text.slice(value, valueEnd)}\r\n`)
  }

  #passSlice(from: number, to: number): void {
    if (from !== this.#to) {
      this.#flush()
      this.#from = from
    }
    this.#to = to
  }

  add(line: string): void {
    this.#flush()
    this.#lines += line
  }

  #flush(): void {
    this.#lines += this.#text.slice(this.#from, this.#to)
    this.#from = this.#to
  }

  toString(): string {
    this.#flush()
    return this.#lines
  }
}

// A field that carries meaning end to end is not given away by a client's Connection field (RFC 9110 7.6.1 would allow it);
// the first four are no header lines that could still be here.
const KEPT =
  /^(?:close|keep-alive|upgrade|te|host|cookie|set-cookie|authorization|content-.*|x-forwarded-.*|forwarded|x-request-id|cache-control)$/

/** Lines without those a Connection field names. */
export function withoutNominated(lines: string, nominated: readonly string[]): string {
  const dropped = nominated.filter((name) => !KEPT.test(name))
  if (dropped.length === 0) return lines
  return lines.replace(/([^:]+):[^\r]*\r\n/g, (line, name: string) =>
    dropped.includes(name.toLowerCase()) ? '' : line,
  )
}
