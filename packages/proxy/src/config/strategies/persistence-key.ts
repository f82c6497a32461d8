import * as z from 'zod'

import type { PersistenceKeyConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { list, map } from '../schema-shapes.ts'
import { age, cookieName } from '../schema-values.ts'
import { lifetime } from './lifetime.ts'
import type { StrategySchema } from './strategy-schema.ts'

const keySource = map({ cookie: cookieName.describe('The cookie whose value is the session’s key.') })

/** A persistence-key strategy. */
export const persistenceKey: StrategySchema<PersistenceKeyConfig> = map({
  strategy: z.literal('persistence-key').describe('A value that the application sets is the key of the session.'),
  from: list(keySource, 'must be a list such as [{ cookie: JSESSIONID }]', 1).describe(
    'Where the key is found; the first that a request has counts.',
  ),
  age: age.prefault(defaults.persistenceKey.age).describe('A session ends when it was not used for this long.'),
  lifetime,
})
