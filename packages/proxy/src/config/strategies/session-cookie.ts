import * as z from 'zod'

import type { SessionCookieConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { flag, list, map, oneOf, optional } from '../schema-shapes.ts'
import { age, cookieDomain, cookieName, cookiePath, ownCookieName } from '../schema-values.ts'
import { lifetime } from './lifetime.ts'
import type { StrategySchema } from './strategy-schema.ts'

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

const contents = map({
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

/** A session-cookie strategy. */
export const sessionCookie: StrategySchema<SessionCookieConfig> = contents.transform((given) => ({
  ...given,
  cookieAge: given.cookieAge ?? given.age,
}))
