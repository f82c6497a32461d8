import { randomBytes } from 'node:crypto'

// RFC 9110 5.6.2 tokens only: an id is copied into heads and logs.
const VALID = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/

/** Makes request ids: unique over the cluster, told apart by a counter behind this process's own random prefix. */
export class RequestIds {
  readonly #prefix = `${randomBytes(9).toString('base64url')}-`
  #count = 0

  next(): string {
    return this.#prefix + (this.#count++).toString(36)
  }
}

/** May a trusted proxy's X-Request-Id be kept as it is? */
export function isRequestId(value: string): boolean {
  return VALID.test(value)
}
