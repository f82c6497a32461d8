import type { RequestHead } from '../wire/request-head.ts'
import { cookieValue, unquoted } from './cookies.ts'
import type { Named, RequestFacts } from './script-hooks.ts'

/** What a request's facts are made of. */
export type AskedHead = Pick<RequestHead, 'method' | 'target' | 'path' | 'host' | 'cookie' | 'header'>

/** A request as scripts see it. */
export class Facts implements RequestFacts {
  readonly cookie: Named
  readonly clientAddress: string
  readonly #head: AskedHead
  #header: Named | undefined

  constructor(head: AskedHead, clientAddress: string) {
    this.cookie = new Cookies(head.cookie)
    this.clientAddress = clientAddress
    this.#head = head
  }

  get header(): Named {
    this.#header ??= new Fields(this.#head)
    return this.#header
  }
  get method(): string {
    return this.#head.method
  }
  get target(): string {
    return this.#head.target
  }
  get path(): string {
    return this.#head.path
  }
  get host(): string {
    return this.#head.host
  }
}

class Cookies implements Named {
  readonly #field: string | undefined

  constructor(field: string | undefined) {
    this.#field = field
  }

  exists(name: string): boolean {
    return this.get(name) !== undefined
  }

  get(name: string): string | undefined {
    const value = this.#field === undefined || name === '' ? undefined : cookieValue(this.#field, name)
    return value === undefined ? undefined : unquoted(value)
  }
}

/** The header fields of a head, by names in any case. */
export class Fields implements Named {
  readonly #head: Pick<RequestHead, 'header'>

  constructor(head: Pick<RequestHead, 'header'>) {
    this.#head = head
  }

  exists(name: string): boolean {
    return this.get(name) !== undefined
  }

  get(name: string): string | undefined {
    return this.#head.header(name.toLowerCase())
  }
}
