/** A backend's response head, parsed strictly, and what we add to it before it leaves. */
export interface ResponseHead {
  readonly status: number
  /** Name, value, name, value …, as received. */
  readonly fields: readonly string[]
  /** The values of its Set-Cookie fields, in order. */
  readonly setCookies: readonly string[]
  /** Adds a Set-Cookie field of ours, and marks the response `Cache-Control: private` unless told not to. */
  addCookie(value: string, options: { keepPrivate: boolean }): void
}
