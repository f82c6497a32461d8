import type { InstanceCookieConfig } from '../config/config.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { cookieValueAt, findCookie, unquoted } from './cookies.ts'
import { Homes } from './homes.ts'
import { type InstanceNames, type NamedInstance, plainNames, sealedNames } from './instance-names.ts'
import { isWithin } from './instance-prefixes.ts'
import { OurCookie } from './our-cookie.ts'
import type { AffinityServices } from './registry.ts'
import { printSetCookie } from './set-cookie.ts'
import type { AffinityStrategy, Client, OutgoingRequest, PersistenceCode, Session } from './strategy.ts'

/** Genero GAS: a cookie of ours names the instance; every request with it goes there, be it of a session or not. */
export function instanceCookie(config: InstanceCookieConfig, services: AffinityServices): AffinityStrategy {
  return new InstanceCookie(config, services)
}

class InstanceCookie implements AffinityStrategy {
  readonly config: InstanceCookieConfig
  readonly cookie: OurCookie
  readonly names: InstanceNames
  readonly homes: Homes

  constructor(config: InstanceCookieConfig, services: AffinityServices) {
    const { pool, members, keyring } = services
    this.config = config
    this.cookie = new OurCookie(config)
    this.names = config.value === 'plain' ? plainNames(members) : sealedNames(pool, members, keyring)
    this.homes = new Homes(services)
  }

  locate({ cookie: field, path }: RequestHead, client: Client): Session {
    const starts = isWithin(path, this.config.start)
    if (field === undefined) return new InstanceSession(this, client, { starts, came: 'N', named: undefined })
    let came: 'N' | 'I' = 'N'
    for (const name of this.cookie.names) {
      for (let start = findCookie(field, name); start >= 0; start = findCookie(field, name, start)) {
        const named = this.names.read(unquoted(cookieValueAt(field, start)))
        if (named !== undefined) return new InstanceSession(this, client, { starts, came: 'V', named })
        came = 'I'
      }
    }
    return new InstanceSession(this, client, { starts, came, named: undefined })
  }

  conceal(request: OutgoingRequest): void {
    this.cookie.conceal(request)
  }
}

/** What a request tells. */
interface Told {
  /** Does its path begin a session? */
  readonly starts: boolean
  readonly came: 'N' | 'I' | 'V'
  readonly named: NamedInstance | undefined
}

const nowhere: readonly string[] = []

/** A request that names an instance, or none. */
class InstanceSession implements Session {
  readonly home: readonly string[]
  readonly key: undefined
  readonly #strategy: InstanceCookie
  readonly #client: Client
  readonly #told: Told
  #came: Told['came'] | 'D'
  #became: 'N' | 'I' | 'U' = 'N'

  constructor(strategy: InstanceCookie, client: Client, told: Told) {
    this.home = told.named === undefined ? nowhere : strategy.homes.at(told.named.backend)
    this.#strategy = strategy
    this.#client = client
    this.#told = told
    this.#came = told.came
  }

  get known(): boolean {
    return this.#told.named !== undefined
  }

  get persistence(): PersistenceCode {
    return `${this.#came}${this.#became}`
  }

  get reason(): string {
    const { came, named } = this.#told
    if (named !== undefined) return `instance-cookie: cookie ${this.#strategy.config.name} names ${named.backend}`
    return came === 'N'
      ? 'instance-cookie: no cookie of ours'
      : 'instance-cookie: a cookie of our name that names no instance'
  }

  dispatched(_to: Backend, request: OutgoingRequest): void {
    if (this.#told.came !== 'N') this.#strategy.conceal(request)
  }

  /** Only the answer to a starting request sets the cookie, where the client's says another thing, or says it in an old way. */
  served(by: Backend, response: ResponseHead): boolean {
    const { starts, named } = this.#told
    const isThere = named?.backend === by.id
    if (named !== undefined && !isThere) this.#came = 'D'
    if (starts && !(isThere && named.current)) this.#tell(by, response)
    return this.known || this.#became !== 'N'
  }

  #tell(by: Backend, response: ResponseHead): void {
    const value = this.#strategy.names.write(by.id)
    if (value === undefined) return
    const { name, attributes } = this.#strategy.cookie.dressFor(this.#client)
    response.addCookie(printSetCookie(name, value, attributes), { keepPrivate: this.#strategy.config.cachePrivate })
    this.#became = this.known ? 'U' : 'I'
  }
}
