import type { OwnCookieConfig } from '../config/config.ts'
import { withoutCookie } from './cookies.ts'
import type { Client, OutgoingRequest } from './strategy.ts'

/** How our cookie is set on one kind of connection. */
export interface CookieDress {
  readonly name: string
  /** As they follow the value, such as `Path=/; HttpOnly`. */
  readonly attributes: string
}

/** Our cookie of one pool: the names it goes by, and how it is set. */
export class OurCookie {
  /** Every name it may come back by, the one that is hardest to forge first. */
  readonly names: readonly string[]
  readonly #secure: CookieDress
  readonly #plain: CookieDress

  constructor(config: OwnCookieConfig) {
    this.#secure = dress(config, config.secure !== false)
    this.#plain = dress(config, config.secure === true)
    this.names = [...new Set([this.#secure.name, this.#plain.name])]
  }

  /** How it is set for this client. */
  dressFor(client: Client): CookieDress {
    return client.secure ? this.#secure : this.#plain
  }

  /** Takes every cookie of our names out of a request. */
  conceal(request: OutgoingRequest): void {
    for (const name of this.names) {
      if (request.cookie !== undefined) request.cookie = withoutCookie(request.cookie, name)
    }
  }
}

function dress(config: OwnCookieConfig, secure: boolean): CookieDress {
  return { name: prefixOf(config, secure) + config.name, attributes: attributesOf(config, secure) }
}

function prefixOf({ prefix, path, domain }: OwnCookieConfig, secure: boolean): string {
  if (prefix === 'host') return '__Host-'
  if (prefix === 'secure') return '__Secure-'
  return prefix === 'auto' && secure && path === '/' && domain === undefined ? '__Host-' : ''
}

function attributesOf(config: OwnCookieConfig, secure: boolean): string {
  const attributes = [
    `Path=${config.path}`,
    config.domain === undefined ? '' : `Domain=${config.domain}`,
    config.httpOnly ? 'HttpOnly' : '',
    secure ? 'Secure' : '',
    config.sameSite === undefined ? '' : `SameSite=${config.sameSite}`,
    config.partitioned ? 'Partitioned' : '',
  ]
  return attributes.filter((attribute) => attribute !== '').join('; ')
}
