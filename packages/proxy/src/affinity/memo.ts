/**
 * Remembers what was worked out of a text, within bounds: when the young half is full it becomes the old half, and what
 * nobody asked for since is forgotten.
 */
export class Memo<Value> {
  readonly #half: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  constructor(capacity: number) {
    this.#half = Math.ceil(capacity / 2)
  }

  get(text: string): Value | undefined {
    const value = this.#young.get(text)
    return value === undefined ? this.#revived(text) : value
  }

  /** Long texts are not kept: whoever sends them pays for each. */
  set(text: string, value: Value): void {
    if (text.length > longestText) return
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, value)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }

  #revived(text: string): Value | undefined {
    const value = this.#old.get(text)
    if (value !== undefined) this.set(text, value)
    return value
  }
}

const longestText = 512

/** The same latin-1 text in memory of its own: a slice would keep the whole request head alive. */
export function ownCopy(slice: string): string {
  return Buffer.from(slice, 'latin1').toString('latin1')
}
