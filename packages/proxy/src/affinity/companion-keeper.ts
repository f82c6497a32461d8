import type { Milliseconds } from '@sticky/store'

import type { BackendConfig, CompanionCookieConfig } from '../config/config.ts'
import { metaName } from '../config/meta-name.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { type CompanionAttributes, noAttributes, printAttributes } from './companion-attributes.ts'
import { printMeta, readMeta } from './companion-meta.ts'
import { cookieValue, findCookie, unquoted, withoutCookie } from './cookies.ts'
import { Homes } from './homes.ts'
import { type InstanceNames, plainNames, sealedNames } from './instance-names.ts'
import type { AffinityServices } from './registry.ts'
import { nameSetBy, printSetCookie } from './set-cookie.ts'
import type { OutgoingRequest } from './strategy.ts'

/** The companion cookies of one pool: how they are recognised and set. */
export class CompanionKeeper {
  readonly config: CompanionCookieConfig
  readonly names: InstanceNames
  readonly homes: Homes
  /** As requests may ask for them, whatever cookies say. */
  readonly plainNames: InstanceNames
  readonly pool: string
  readonly #meta: string
  /** The application's session cookies with and without `__Host-`. */
  readonly #triggers: readonly string[]
  readonly #now: () => Milliseconds

  constructor(config: CompanionCookieConfig, services: AffinityServices) {
    const { pool, members, keyring, store } = services
    this.config = config
    this.pool = pool
    this.plainNames = withAddresses(plainNames(members), members)
    this.names = config.value === 'plain' ? this.plainNames : sealedNames(pool, members, keyring)
    this.homes = new Homes(services)
    this.#meta = metaName(config.name)
    this.#triggers = config.triggers.flatMap((name) => [name, `__Host-${name}`])
    this.#now = () => store.now()
  }

  /** Store time. */
  now(): Milliseconds {
    return this.#now()
  }

  /** Does a Cookie field bring a session of the application's? */
  hasTrigger(field: string): boolean {
    for (const name of this.#triggers) if (findCookie(field, name) >= 0) return true
    return false
  }

  /** The Set-Cookie fields that begin, renew or end a session of the application's. */
  triggersIn(response: ResponseHead): string[] {
    return response.setCookies.filter((field) => this.#triggers.includes(nameSetBy(field) ?? ''))
  }

  /** Does the application set our cookie itself? */
  isSetBy(response: ResponseHead): boolean {
    return response.setCookies.some((field) => nameSetBy(field) === this.config.name)
  }

  /** Takes our cookies out of a request, unless they are gorouter's own, which applications there see. */
  conceal(request: OutgoingRequest): void {
    if (this.config.value === 'plain') return
    for (const name of [this.config.name, this.#meta]) {
      if (request.cookie !== undefined) request.cookie = withoutCookie(request.cookie, name)
    }
  }

  /** Sets the companion. */
  tell(head: ResponseHead, value: string, path: string, attributes: CompanionAttributes): void {
    this.#add(head, this.config.name, value, printAttributes(path, this.#secured(attributes)))
  }

  /** Sets the companion, and beside it the cookie that keeps its attributes. */
  tellBoth(head: ResponseHead, value: string, path: string, attributes: CompanionAttributes): void {
    this.tell(head, value, path, attributes)
    if (!this.config.meta) return
    const secured = this.#secured(attributes)
    this.#add(head, this.#meta, printMeta(secured, this.now()), printAttributes(path, secured))
  }

  /** What the companion was set with, as far as the request's cookies tell. */
  attributesKeptIn(field: string | undefined): CompanionAttributes {
    const meta = this.config.meta && field !== undefined ? cookieValue(field, this.#meta) : undefined
    return meta === undefined ? noAttributes : readMeta(unquoted(meta), this.now())
  }

  #secured(attributes: CompanionAttributes): CompanionAttributes {
    return this.config.secure && !attributes.secure ? { ...attributes, secure: true } : attributes
  }

  #add(head: ResponseHead, name: string, value: string, attributes: string): void {
    // No shared cache may hand one client's instance to the others.
    head.addCookie(printSetCookie(name, value, attributes), { keepPrivate: true })
  }
}

/** gorouter finds an instance by `host:port`, too; what it is told then is the instance's id. */
function withAddresses(names: InstanceNames, members: readonly BackendConfig[]): InstanceNames {
  const addresses = new Map(members.map(({ id, url }) => [addressOf(url), { backend: id, current: false }]))
  return {
    read: (value) => names.read(value) ?? addresses.get(value),
    write: (backend) => names.write(backend),
  }
}

function addressOf(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
}
