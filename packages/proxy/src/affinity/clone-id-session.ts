import type { Backend } from '../upstream/backend.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import type { CloneHomes } from './clone-id-homes.ts'
import { unquoted } from './cookies.ts'
import { parseSetCookie } from './set-cookie.ts'
import type { PersistenceCode, Session } from './strategy.ts'

/** What a request brought: a session id of this cookie or path parameter, or none. */
export type SessionIdSource = 'cookie' | 'parameter' | undefined

const nowhere: readonly string[] = []

/** A request's session as the application's own session id tells of it. Nothing is stored, and nothing added to responses. */
export class CloneIdSession implements Session {
  readonly home: readonly string[]
  readonly known: boolean
  readonly key: undefined
  readonly #homes: CloneHomes
  readonly #cookie: string
  readonly #source: SessionIdSource
  #away = false
  #provided = false

  /** `home` is whom the session id names, undefined for nobody; `cookie` is what the application's cookie is called here. */
  constructor(homes: CloneHomes, cookie: string, source: SessionIdSource, home: readonly string[] | undefined) {
    this.#homes = homes
    this.#cookie = cookie
    this.#source = source
    this.known = home !== undefined
    this.home = home ?? nowhere
  }

  get persistence(): PersistenceCode {
    const became = this.#provided ? 'P' : 'N'
    if (this.#away) return `D${became}`
    if (this.known) return `V${became}`
    return this.#source === undefined ? `N${became}` : `I${became}`
  }

  get reason(): string {
    if (this.#source === undefined) return `clone-id: no cookie ${this.#cookie} and no path parameter with a clone id`
    if (!this.known) return `clone-id: the ${this.#source} names no clone of this pool`
    return `clone-id: the ${this.#source} names the clone of ${this.home.join(', then of ')}`
  }

  /** The application that takes a session over, or begins one, says so in its own cookie. */
  served(by: Backend, { setCookies }: ResponseHead): boolean {
    this.#away = this.known && !this.home.includes(by.id)
    if (this.known && !this.#away) return true
    this.#provided = setCookies.some((field) => this.#names(field))
    return this.known || this.#provided
  }

  #names(field: string): boolean {
    const cookie = field.startsWith(this.#cookie) ? parseSetCookie(field, 0) : undefined
    return cookie?.name === this.#cookie && this.#homes.namedIn(unquoted(cookie.value)) !== undefined
  }
}
