/** Names of header fields, or how they begin: `x-internal`, `$ws*`; given in lower case, found in any. */
export class FieldPatterns {
  readonly #names: ReadonlySet<string>
  readonly #beginnings: readonly string[]

  constructor(patterns: readonly string[]) {
    this.#names = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
    this.#beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  }

  /** Header lines, each ended by CR LF, without those of such fields. */
  without(lines: string): string {
    return lines.replace(/([^:]+):[^\r]*\r\n/g, (line, name: string) => (this.#has(name.toLowerCase()) ? '' : line))
  }

  #has(name: string): boolean {
    return this.#names.has(name) || this.#beginnings.some((beginning) => name.startsWith(beginning))
  }
}
