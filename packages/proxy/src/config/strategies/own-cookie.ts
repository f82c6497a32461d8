import * as z from 'zod'

import type { OwnCookieConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { flag, oneOf, optional } from '../schema-shapes.ts'
import { cookieDomain, cookiePath } from '../schema-values.ts'

const secure = z.union([z.literal('auto'), z.boolean()], { error: 'must be auto, true or false' })
const sameSiteExpectation = 'must be one of Strict, Lax, None, or false to leave it out'
const sameSite = z
  .union([z.enum(['Strict', 'Lax', 'None']), z.literal(false)], { error: sameSiteExpectation })
  .transform((value) => value || undefined)

type OwnCookieShape = { readonly [Key in Exclude<keyof OwnCookieConfig, 'name'>]: z.ZodType<OwnCookieConfig[Key]> }

const cookie = defaults.ownCookie

/** How a cookie of ours is dressed: the keys of a strategy that sets one, besides its name. */
export const ownCookie: OwnCookieShape = {
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
}
