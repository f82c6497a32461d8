import type { Milliseconds } from '@sticky/store'
import type { ZodType } from 'zod'

import { optional } from '../schema-shapes.ts'
import { age } from '../schema-values.ts'

/** A session's absolute limit. */
export const lifetime: ZodType<Milliseconds | undefined, string | undefined> = optional(age).describe(
  'A session ends this long after it began, used or not. None by default.',
)
