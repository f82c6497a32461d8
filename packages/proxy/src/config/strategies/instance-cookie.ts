import * as z from 'zod'

import type { InstanceCookieConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { map, oneOf } from '../schema-shapes.ts'
import { ownCookieName, pathPrefix } from '../schema-values.ts'
import { ownCookie } from './own-cookie.ts'
import type { StrategySchema } from './strategy-schema.ts'

const usual = defaults.instanceCookie

/** An instance-cookie strategy. */
export const instanceCookie: StrategySchema<InstanceCookieConfig> = map({
  strategy: z
    .literal('instance-cookie')
    .describe('A cookie of ours names the instance, to which every request with it goes, be it of a session or not.'),
  name: ownCookieName
    .prefault(usual.name)
    .describe('Our cookie’s name, without `__Host-` or `__Secure-`: see `prefix`.'),
  value: oneOf(['sealed', 'plain'])
    .prefault(usual.value)
    .describe('`sealed`: nobody can read or make it; `plain`: the backend’s `instance`, which anybody can write.'),
  start: pathPrefix
    .prefault(usual.start)
    .describe('The answer to a request of this path or below it sets the cookie, if the request has none that counts.'),
  ...ownCookie,
})
