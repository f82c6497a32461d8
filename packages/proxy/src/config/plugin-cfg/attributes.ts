import type { Place } from '../mistakes.ts'
import type { Warn } from './warnings.ts'
import type { XmlElement } from './xml.ts'

/** Reads the attributes of one element; what cannot be read is warned about and stands for its default. */
export class Attributes {
  readonly #element: XmlElement
  readonly #warn: Warn

  constructor(element: XmlElement, warn: Warn) {
    this.#element = element
    this.#warn = warn
  }

  /** Its text; undefined when it is missing or empty, which is the same here. */
  text(name: string): string | undefined {
    return this.#element.attributes.get(name)?.value.trim() || undefined
  }

  /** Where it stands, or its element if it is missing. */
  place(name: string): Place {
    return this.#element.attributes.get(name)?.place ?? this.#element.place
  }

  warn(name: string, problem: string): void {
    this.#warn(this.place(name), `${this.#element.name} ${name} ${problem}`)
  }

  flag(name: string, usual: boolean): boolean {
    const text = this.text(name)?.toLowerCase()
    if (text === 'true' || text === 'false') return text === 'true'
    if (text !== undefined) this.warn(name, `must be true or false, got ${JSON.stringify(text)}; taken as ${usual}`)
    return usual
  }

  /** A whole number; what lies outside of the bounds is taken as the nearer one. */
  whole(name: string, usual: number, least: number, most: number): number {
    const text = this.text(name)
    if (text === undefined) return usual
    if (!/^[+-]?\d{1,15}$/.test(text)) {
      this.warn(name, `must be a whole number, got ${JSON.stringify(text)}; taken as ${usual}`)
      return usual
    }
    const value = Math.min(Math.max(Number(text), least), most)
    if (value !== Number(text)) this.warn(name, `must be from ${least} to ${most}, got ${text}; taken as ${value}`)
    return value
  }
}
