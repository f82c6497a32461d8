/** Gives equal values one object. Bounded: of more values than that, some have several. */
export class SharedValues<Value> {
  readonly #limit: number
  readonly #values = new Map<string, Value>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The value by that name, made if there is none. */
  of(name: string, make: () => Value): Value {
    const known = this.#values.get(name)
    if (known !== undefined) return known
    if (this.#values.size >= this.#limit) this.#values.clear()
    const value = make()
    this.#values.set(name, value)
    return value
  }
}
