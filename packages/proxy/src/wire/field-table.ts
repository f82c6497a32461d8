/** Finds by a field's name what is to be done with it. Most fields have no entry, which costs them no string. */
export class FieldTable<T> {
  readonly #entries: ReadonlyMap<string, T>
  /** Which lengths of a name and first letters occur: 1 where they do. */
  readonly #shapes = new Uint8Array(64 * 32)

  /** By names in lower case. */
  constructor(entries: Readonly<Record<string, T>>) {
    this.#entries = new Map(Object.entries(entries))
    for (const name of this.#entries.keys()) this.#shapes[shapeOf(name, 0, name.length)] = 1
  }

  /** The entry of the name between two places of a text, whatever its case. */
  find(text: string, start: number, end: number): T | undefined {
    if (this.#shapes[shapeOf(text, start, end)] === 0) return undefined
    return this.#entries.get(text.slice(start, end).toLowerCase())
  }

  /** Has it an entry of that name, given in lower case? */
  has(name: string): boolean {
    return this.#entries.has(name)
  }
}

// Five bits of a letter are the same in either case.
const shapeOf = (text: string, start: number, end: number): number =>
  (((end - start) & 63) << 5) | (text.charCodeAt(start) & 31)
