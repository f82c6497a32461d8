/** A request's head, parsed strictly (design.md 8): what every other part of the proxy knows of a request. */
export interface RequestHead {
  readonly method: string
  /** Origin form (absolute form is reduced to it), as received, with its query. */
  readonly target: string
  /** The target without its query, as received. */
  readonly path: string
  readonly minorVersion: 0 | 1
  /** Name, value, name, value …, as received: case, order and duplicates kept. */
  readonly fields: readonly string[]
  /** The Host field's value as received; empty on HTTP/1.0 without one. */
  readonly host: string
  /** All Cookie fields, joined by `; `; undefined without one. */
  readonly cookie: string | undefined
}

