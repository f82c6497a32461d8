import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import type { Addressed } from './companion-address.ts'
import { attributesToCopy, type CompanionAttributes, deletes, noAttributes } from './companion-attributes.ts'
import type { CompanionKeeper } from './companion-keeper.ts'
import type { NamedInstance } from './instance-names.ts'
import type { OutgoingRequest, PersistenceCode, Session } from './strategy.ts'

/** How a request brought the companion, and what it names. */
export interface Companion {
  /** N: it did not; U: without a session beside it; I: it names nobody here. */
  readonly came: 'N' | 'U' | 'I' | 'V'
  /** Does it go with an authenticated connection, so that its instance alone may serve? */
  readonly negotiated: boolean
  readonly named: NamedInstance | undefined
}

/** A request's session as gorouter's two cookies tell of it, or as its address header does. */
export class CompanionSession implements Session {
  readonly known: boolean
  readonly home: readonly string[]
  readonly key: undefined
  readonly whenAway: RefusalCode | undefined
  readonly #keeper: CompanionKeeper
  readonly #request: RequestHead
  readonly #path: string
  readonly #companion: Companion
  readonly #addressed: Addressed | undefined
  #came: Companion['came'] | 'D'
  #became: 'N' | 'I' | 'U' | 'P' | 'D' = 'N'

  constructor(
    keeper: CompanionKeeper,
    request: RequestHead,
    path: string,
    companion: Companion,
    addressed: Addressed | undefined,
  ) {
    const backend = addressed === undefined ? companion.named?.backend : backendOf(addressed)
    this.home = backend === undefined ? nowhere : keeper.homes.at(backend)
    this.whenAway = addressed === undefined ? whenAway(companion, keeper) : addressRefusal(addressed)
    this.known = backend !== undefined || this.whenAway !== undefined
    this.#keeper = keeper
    this.#request = request
    this.#path = path
    this.#companion = companion
    this.#addressed = addressed
    this.#came = companion.came
  }

  get persistence(): PersistenceCode {
    return `${this.#came}${this.#became}`
  }

  get reason(): string {
    const { name, addressHeader } = this.#keeper.config
    const addressed = this.#addressed
    if (addressed === undefined) return `companion-cookie: ${reasonOf(this.#companion, name)}`
    const asked = typeof addressed === 'string' ? reasons[addressed] : `asks for ${addressed.backend}`
    return `companion-cookie: header ${addressHeader} ${asked}`
  }

  dispatched(_to: Backend, request: OutgoingRequest): void {
    this.#keeper.conceal(request)
  }

  served(by: Backend, response: ResponseHead): boolean {
    const { named } = this.#companion
    const isThere = named?.backend === by.id
    if (named !== undefined && !isThere) this.#came = 'D'
    // What nearly every exchange comes to.
    if (isThere && named.current && response.setCookies.length === 0) return true
    this.#follow(by, response, isThere)
    return this.known || this.#became === 'I' || this.#became === 'P'
  }

  #follow(by: Backend, response: ResponseHead, isThere: boolean): void {
    const keeper = this.#keeper
    if (keeper.isSetBy(response)) {
      this.#became = 'P'
      return
    }
    const value = this.#isRouteService ? undefined : keeper.names.write(by.id)
    if (value === undefined) return
    if (keeper.config.negotiate && asksToNegotiate(response)) {
      if (!isThere) this.#tell(response, value, forNegotiation)
      return
    }
    const triggers = keeper.triggersIn(response)
    if (triggers.length > 0) return this.#accompany(triggers, response, value)
    if (this.#isStale(isThere)) this.#tell(response, value, keeper.attributesKeptIn(this.#request.cookie))
  }

  /** One of ours for each of the application's, in their order: a browser may keep several of one name in different jars. */
  #accompany(triggers: readonly string[], response: ResponseHead, value: string): void {
    const keeper = this.#keeper
    const copied = triggers.map(attributesToCopy)
    for (const attributes of copied) keeper.tellBoth(response, value, this.#path, attributes)
    const ends = copied.every((attributes) => deletes(attributes, keeper.now()))
    this.#became = ends ? 'D' : this.#refreshed
  }

  #tell(response: ResponseHead, value: string, attributes: CompanionAttributes): void {
    this.#keeper.tell(response, value, this.#path, attributes)
    this.#became = this.#refreshed
  }

  get #refreshed(): 'I' | 'U' {
    return this.#came === 'V' || this.#came === 'D' ? 'U' : 'I'
  }

  /** Does the client's companion name another instance than the one that served, or name it in an old way? */
  #isStale(isThere: boolean): boolean {
    const { came, named, negotiated } = this.#companion
    if (came !== 'V') return came === 'I'
    return !isThere || !(named!.current || negotiated)
  }

  /** On its way through a route service the request comes by again: what sticks then is between the service and its backend. */
  get #isRouteService(): boolean {
    const request = this.#request
    return request.header('x-cf-proxy-signature') !== undefined && request.header('x-cf-forwarded-url') !== undefined
  }
}

const nowhere: readonly string[] = []

// gorouter's minute: an authentication takes no longer.
const forNegotiation: CompanionAttributes = { ...noAttributes, maxAge: 60, sameSite: 'Strict' }

const reasons = {
  N: 'no companion',
  U: 'a companion without a session cookie beside it',
  I: 'a companion that names no instance',
  unknown: 'asks for an instance that is not here',
  malformed: 'is malformed',
} as const

function reasonOf({ came, named, negotiated }: Companion, name: string): string {
  if (came !== 'V') return reasons[came]
  return `cookie ${name} names ${named!.backend}${negotiated ? ', for an authenticated connection' : ''}`
}

function backendOf(addressed: Addressed): string | undefined {
  return typeof addressed === 'string' ? undefined : addressed.backend
}

function addressRefusal(addressed: Addressed): RefusalCode {
  return addressed === 'malformed' ? 'bad-request' : 'no-instance'
}

/** A value that cannot be ours is no companion at all; a plain one may be of an instance that was here. */
function whenAway({ negotiated, came }: Companion, keeper: CompanionKeeper): RefusalCode | undefined {
  return negotiated && (came === 'V' || keeper.config.value === 'plain') ? 'home-away' : undefined
}

function asksToNegotiate(response: ResponseHead): boolean {
  if (response.header('www-authenticate') === undefined) return false
  const { fields } = response
  return fields.some((name, at) => isName(name, at) && /^negotiate/i.test(fields[at + 1]!))
}

function isName(name: string, at: number): boolean {
  return at % 2 === 0 && name.toLowerCase() === 'www-authenticate'
}
