import * as z from 'zod'

import type { SessionCookieConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { list, map, oneOf, optional } from '../schema-shapes.ts'
import { age, cookieName, ownCookieName } from '../schema-values.ts'
import { lifetime } from './lifetime.ts'
import { ownCookie } from './own-cookie.ts'
import { sessionQuota } from './session-quota.ts'
import type { StrategySchema } from './strategy-schema.ts'

const beginExpectation = 'must be always, on-cookie or { cookies: [NAME, …] }'
const beginners = map({
  cookies: list(cookieName, 'must be a list of cookie names', 1).describe(
    'The application’s cookies that begin a session.',
  ),
})
const begin = z.union([oneOf(['always', 'on-cookie']), beginners], { error: beginExpectation })
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
  recoverBy: list(cookieName, 'must be a list of cookie names such as [JSESSIONID]')
    .prefault([])
    .describe(
      'The application’s cookies by which a session is found again when our own cookie is missing or does not open. Each value that is set costs a row.',
    ),
  newPerClient: sessionQuota.newPerClient
    .prefault(cookie.newPerClient)
    .describe(
      'How many sessions one address (one /64 of IPv6) may begin in the store, per worker, beyond which its cookies alone tell where they live; `false`: any.',
    ),
  maxSessions: sessionQuota.maxSessions
    .prefault(cookie.maxSessions)
    .describe('With so many sessions of the pool in the store cookies alone tell where newer ones live.'),
  ...ownCookie,
})

/** A session-cookie strategy. */
export const sessionCookie: StrategySchema<SessionCookieConfig> = contents.transform((given) => ({
  ...given,
  cookieAge: given.cookieAge ?? given.age,
}))
