import * as z from 'zod'

import type { CloneIdConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { map } from '../schema-shapes.ts'
import { cloneSeparators, cookieName } from '../schema-values.ts'
import type { StrategySchema } from './strategy-schema.ts'

/** A clone-id strategy. */
export const cloneId: StrategySchema<CloneIdConfig> = map({
  strategy: z
    .literal('clone-id')
    .describe('The application’s session id names its servers, as in `JSESSIONID=0000abc:c1`: see `cloneIds`.'),
  cookie: cookieName.prefault(defaults.cloneId.cookie).describe('The application’s session cookie.'),
  parameter: cookieName
    .prefault(defaults.cloneId.parameter)
    .describe('The path parameter that has the session id where there is no cookie, as in `;jsessionid=0000abc:c1`.'),
  separators: cloneSeparators
    .prefault(defaults.cloneId.separators)
    .describe('What clone ids begin after: one or more of `:` `+` `.` `!`.'),
})
