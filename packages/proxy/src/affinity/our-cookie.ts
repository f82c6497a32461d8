import type { SessionCookieConfig } from '../config/config.ts'
import type { Client } from './strategy.ts'

/** How our cookie is set on one kind of connection. */
export interface CookieDress {
  readonly name: string
  /** As they follow the value, such as `Path=/; HttpOnly`. */
  readonly attributes: string
}

/** Our cookie of one pool. */
export interface OurCookie {
  /** Every name it may come back by, the one that is hardest to forge first. */
  readonly names: readonly string[]
  /** How it is set for this client. */
  dressFor(client: Client): CookieDress
}

/** Names and dresses our cookie as configured. */
export function ourCookie(config: SessionCookieConfig): OurCookie {
  const secure = dress(config, config.secure !== false)
  const plain = dress(config, config.secure === true)
  return {
    names: [...new Set([secure.name, plain.name])],
    dressFor: (client) => (client.secure ? secure : plain),
  }
}

function dress(config: SessionCookieConfig, secure: boolean): CookieDress {
  return { name: prefixOf(config, secure) + config.name, attributes: attributesOf(config, secure) }
}

function prefixOf({ prefix, path, domain }: SessionCookieConfig, secure: boolean): string {
  if (prefix === 'host') return '__Host-'
  if (prefix === 'secure') return '__Secure-'
  return prefix === 'auto' && secure && path === '/' && domain === undefined ? '__Host-' : ''
}

function attributesOf(config: SessionCookieConfig, secure: boolean): string {
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
