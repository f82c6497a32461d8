import * as z from 'zod'

import type { CompanionCookieConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { flag, list, map, oneOf, optional } from '../schema-shapes.ts'
import { cookieName, fieldName, ownCookieName } from '../schema-values.ts'
import type { StrategySchema } from './strategy-schema.ts'

const usual = defaults.companionCookie

const contents = map({
  strategy: z
    .literal('companion-cookie')
    .describe('A cookie of ours, set beside the application’s session cookie, names the instance that set it.'),
  triggers: list(cookieName, 'must be a list of cookie names such as [JSESSIONID]', 1)
    .prefault([...usual.triggers])
    .describe('The application’s session cookies; the same names with `__Host-` before them count, too.'),
  name: ownCookieName
    .prefault(usual.name)
    .describe(
      'Our cookie’s name. The one that keeps its attributes is called after it, `__VCAP_ID_META__`: see `meta`.',
    ),
  meta: flag()
    .prefault(usual.meta)
    .describe(
      'Set that second cookie, so that ours has the attributes of the application’s again when the session moves.',
    ),
  value: oneOf(['sealed', 'plain'])
    .prefault(usual.value)
    .describe('`sealed`: nobody can read or make it; `plain`: the backend’s `instance`, which anybody can write.'),
  secure: flag().prefault(usual.secure).describe('Our cookies are `Secure` even where the application’s is not.'),
  negotiate: flag()
    .prefault(usual.negotiate)
    .describe(
      'Requests with `Authorization: Negotiate` are sessions without any cookie of the application’s, and never move.',
    ),
  addressHeader: optional(fieldName).describe(
    'A header field by which a request can ask for an instance, such as X-CF-APP-INSTANCE: `POOL:INSTANCE`, or just the instance. None by default.',
  ),
})

/** A companion-cookie strategy. */
export const companionCookie: StrategySchema<CompanionCookieConfig> = contents.transform((given) => ({
  ...given,
  addressHeader: given.addressHeader?.toLowerCase(),
}))
