import { Flaw } from './flaw.ts'

/** What a backend's URL looks like, for people. */
export const originExpectation = 'must be a scheme, host and port, such as http://10.0.0.1:8080'

/** What a store's URL looks like, for people. */
export const storeExpectation = 'must be memory: or a Redis such as redis://127.0.0.1:6379 (rediss:// for TLS)'

/** A backend's origin: http or https, host and port alone. */
export function parseOrigin(text: string): string | Flaw {
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null
  if (!url) return new Flaw(originExpectation)
  if (url.username || url.password) return new Flaw('must be without user and password: requests carry their own')
  const extra = url.pathname.slice(1) + url.search + url.hash
  if (extra) return new Flaw('must be without a path, which requests bring along', url.origin)
  return url.origin
}

/** The store: `memory:`, or a Redis by URL. */
export function parseStoreUrl(text: string): string | Flaw {
  if (text === 'memory:') return text
  const url = /^rediss?:\/\//i.test(text) ? URL.parse(text) : null
  if (!url?.hostname) return new Flaw(storeExpectation)
  const database = url.pathname.slice(1)
  if (!/^\d{0,5}$/.test(database)) return new Flaw('must name the database by number, as in redis://127.0.0.1:6379/2')
  return text
}
