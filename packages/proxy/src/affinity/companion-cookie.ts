import type { CompanionCookieConfig } from '../config/config.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { readAddress } from './companion-address.ts'
import { CompanionKeeper } from './companion-keeper.ts'
import { type Companion, CompanionSession } from './companion-session.ts'
import { cookieValueAt, findCookie, unquoted } from './cookies.ts'
import type { AffinityServices } from './registry.ts'
import type { AffinityStrategy, Client, MatchedUri, OutgoingRequest, Session } from './strategy.ts'

/** Cloud Foundry gorouter: beside the application's session cookie a cookie of ours names the instance that set it. */
export function companionCookie(config: CompanionCookieConfig, services: AffinityServices): AffinityStrategy {
  return new CompanionCookie(new CompanionKeeper(config, services))
}

class CompanionCookie implements AffinityStrategy {
  readonly #keeper: CompanionKeeper

  constructor(keeper: CompanionKeeper) {
    this.#keeper = keeper
  }

  locate(request: RequestHead, _client: Client, { contextPath }: MatchedUri): Session {
    const keeper = this.#keeper
    const { addressHeader } = keeper.config
    const companion = request.cookie === undefined ? none : this.#companionIn(request, request.cookie)
    const address = addressHeader === undefined ? undefined : request.header(addressHeader)
    const addressed = address === undefined ? undefined : readAddress(address, keeper.pool, keeper.plainNames)
    return new CompanionSession(keeper, request, contextPath, companion, addressed)
  }

  conceal(request: OutgoingRequest): void {
    this.#keeper.conceal(request)
  }

  /** The first that names an instance, else the first; none without a session beside it. */
  #companionIn(request: RequestHead, field: string): Companion {
    const { config, names } = this.#keeper
    const first = findCookie(field, config.name)
    if (first < 0) return none
    const negotiated = config.negotiate && isNegotiate(request.header('authorization'))
    if (!negotiated && !this.#keeper.hasTrigger(field)) return alone
    for (let start = first; start >= 0; start = findCookie(field, config.name, start)) {
      const named = names.read(unquoted(cookieValueAt(field, start)))
      if (named !== undefined) return { came: 'V', negotiated, named }
    }
    const isEmpty = cookieValueAt(field, first) === ''
    return isEmpty ? alone : { came: 'I', negotiated, named: undefined }
  }
}

const none: Companion = { came: 'N', negotiated: false, named: undefined }
const alone: Companion = { came: 'U', negotiated: false, named: undefined }

function isNegotiate(authorization: string | undefined): boolean {
  return authorization !== undefined && /^negotiate/i.test(authorization)
}
