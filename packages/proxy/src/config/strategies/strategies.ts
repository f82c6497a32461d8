import * as z from 'zod'

import type { AffinityConfig } from '../config.ts'
import { cloneId } from './clone-id.ts'
import { companionCookie } from './companion-cookie.ts'
import { instanceCookie } from './instance-cookie.ts'
import { instancePath } from './instance-path.ts'
import { persistenceKey } from './persistence-key.ts'
import { script } from './script.ts'
import { sessionCookie } from './session-cookie.ts'

/** One strategy of a chain, told by its name. */
export const strategySchema: z.ZodType<AffinityConfig> = z.discriminatedUnion('strategy', [
  sessionCookie,
  persistenceKey,
  instanceCookie,
  instancePath,
  cloneId,
  companionCookie,
  script,
])
