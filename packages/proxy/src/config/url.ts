import { parseRedisUrl } from '@sticky/store'

import { Flaw } from './flaw.ts'

/** What a backend's URL looks like, for people. */
export const originExpectation = 'must be a scheme, host and port, such as http://10.0.0.1:8080'

/** What a store's URL looks like, for people. */
export const storeExpectation =
  'must be memory: or a Redis such as redis://127.0.0.1:6379, redis+sentinel://10.0.0.1:26379/mymaster or redis+cluster://10.0.0.1:6379 (rediss for TLS)'

/** A backend's origin: http or https, host and port alone. */
export function parseOrigin(text: string): string | Flaw {
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null
  if (!url) return new Flaw(originExpectation)
  if (url.username || url.password) return new Flaw('must be without user and password: requests carry their own')
  const extra = url.pathname.slice(1) + url.search + url.hash
  if (extra) return new Flaw('must be without a path, which requests bring along', url.origin)
  return url.origin
}

/** The store: `memory:`, or a Redis, Redis Sentinel or Redis Cluster by URL. */
export function parseStoreUrl(text: string): string | Flaw {
  if (text === 'memory:') return text
  if (!/^rediss?([+-](sentinel|cluster))?:\/\//i.test(text)) return new Flaw(storeExpectation)
  try {
    parseRedisUrl(text)
    return text
  } catch (flaw) {
    return new Flaw((flaw as TypeError).message)
  }
}
