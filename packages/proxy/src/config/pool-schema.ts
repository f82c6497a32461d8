import * as z from 'zod'

import type { BalanceName, PersistenceKeyConfig, PoolConfig, SessionCookieConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { flag, list, map, oneOf, optional, whole } from './schema-shapes.ts'
import { age, cookieDomain, cookieName, cookiePath, id, origin, ownCookieName } from './schema-values.ts'

/** A pool as the file has it: its id is its key, and `cookieAge` may still be left out. */
export interface PoolContents extends Omit<PoolConfig, 'id' | 'affinity'> {
  readonly affinity: readonly (SessionCookieContents | PersistenceKeyConfig)[]
}

/** A session-cookie strategy as the file has it. */
export interface SessionCookieContents extends Omit<SessionCookieConfig, 'cookieAge'> {
  readonly cookieAge: number | undefined
}

const backend = map({
  id: id.describe('Its name in sessions, logs and metrics. Keep it when the address changes: sessions follow the id.'),
  url: origin.describe('Scheme, host and port; a name is looked up at each new connection.'),
  weight: whole(0, 1000)
    .prefault(defaults.weight)
    .describe('Its share of newcomers, relative to the others. At 0 it keeps its sessions and gets no newcomers.'),
})

const beginExpectation = 'must be always, on-cookie or { cookies: [NAME, …] }'
const beginners = map({
  cookies: list(cookieName, 'must be a list of cookie names', 1).describe(
    'The application’s cookies that begin a session.',
  ),
})
const begin = z.union([oneOf(['always', 'on-cookie']), beginners], { error: beginExpectation })
const secure = z.union([z.literal('auto'), z.boolean()], { error: 'must be auto, true or false' })
const sameSiteExpectation = 'must be one of Strict, Lax, None, or false to leave it out'
const sameSite = z
  .union([z.enum(['Strict', 'Lax', 'None']), z.literal(false)], { error: sameSiteExpectation })
  .transform((value) => value || undefined)

const cookie = defaults.sessionCookie
const lifetime = optional(age).describe('A session ends this long after it began, used or not. None by default.')

const sessionCookie = map({
  strategy: z.literal('session-cookie').describe('A sealed cookie of ours names the session.'),
  name: ownCookieName
    .prefault(cookie.name)
    .describe('Our cookie’s name, without `__Host-` or `__Secure-`: see `prefix`.'),
  begin: begin
    .prefault(cookie.begin)
    .describe(
      'When a newcomer gets a session: `always`; `on-cookie`, when the application sets any cookie; `{ cookies: [NAME, …] }`, when it sets one of these.',
    ),
  age: age.prefault(cookie.age).describe('A session ends when it was not used for this long.'),
  cookieAge: optional(age).describe('The age of an application’s cookie that names none itself. By default `age`.'),
  lifetime,
  ends: oneOf(['age', 'last-cookie'])
    .prefault(cookie.ends)
    .describe('`last-cookie`: it ends with the last of the application’s cookies, too.'),
  path: cookiePath.prefault(cookie.path).describe('Our cookie’s `Path`.'),
  domain: optional(cookieDomain).describe('Our cookie’s `Domain`. By default none: the host that set it, alone.'),
  secure: secure.prefault(cookie.secure).describe('Our cookie’s `Secure`; `auto`: on exchanges that came over TLS.'),
  httpOnly: flag().prefault(cookie.httpOnly).describe('Our cookie’s `HttpOnly`: scripts in pages cannot read it.'),
  sameSite: sameSite
    .prefault(cookie.sameSite)
    .describe('Our cookie’s `SameSite`: `Strict`, `Lax`, `None`, or `false` to leave it out.'),
  partitioned: flag()
    .prefault(cookie.partitioned)
    .describe('Our cookie’s `Partitioned`: a jar of its own under each embedding site. Needs `secure: true`.'),
  prefix: oneOf(['auto', 'none', 'host', 'secure'])
    .prefault(cookie.prefix)
    .describe(
      '`host`: `__Host-`, `secure`: `__Secure-`, `none`; `auto`: `__Host-` where `Secure`, `Path=/` and no `Domain` allow it.',
    ),
  cachePrivate: flag()
    .prefault(cookie.cachePrivate)
    .describe(
      'Mark a response that gets our cookie `Cache-Control: private`, so that no shared cache hands it to others.',
    ),
})

const keySource = map({ cookie: cookieName.describe('The cookie whose value is the session’s key.') })

const persistenceKey = map({
  strategy: z.literal('persistence-key').describe('A value that the application sets is the key of the session.'),
  from: list(keySource, 'must be a list such as [{ cookie: JSESSIONID }]', 1).describe(
    'Where the key is found; the first that a request has counts.',
  ),
  age: age.prefault(defaults.persistenceKey.age).describe('A session ends when it was not used for this long.'),
  lifetime,
})

const balances = ['leastLoad', 'leastSessions', 'roundRobin', 'random', 'powerOfTwo'] as const satisfies BalanceName[]

/** One pool. */
export const poolSchema: z.ZodType<PoolContents> = map({
  backends: list(backend, 'must be a list of backends such as { id: a, url: http://10.0.0.1:8080 }', 1).describe(
    'The instances of one application.',
  ),
  balance: oneOf(balances)
    .prefault(defaults.balance)
    .describe(
      'Who gets a newcomer: `leastLoad` (fewest exchanges in flight in the whole cluster), `leastSessions`, `roundRobin`, `random`, `powerOfTwo`; all by weight.',
    ),
  affinity: list(
    z.discriminatedUnion('strategy', [sessionCookie, persistenceKey]),
    'must be a list of strategies such as { strategy: session-cookie }',
  )
    .prefault([...defaults.affinity])
    .describe('How a session is recognised: the first strategy that knows the request wins. `[]`: no sessions at all.'),
  hostHeader: oneOf(['preserve', 'backend'])
    .prefault(defaults.hostHeader)
    .describe('The Host that backends see: the client’s, or the backend’s own.'),
})
