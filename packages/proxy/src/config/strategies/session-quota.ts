import * as z from 'zod'

import type { SessionQuotaConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { map, whole } from '../schema-shapes.ts'
import { duration } from '../schema-values.ts'

const usual = defaults.persistenceKey.newPerClient

const newPerClient = map({
  count: whole(1, 1_000_000_000).prefault(usual.count).describe('So many sessions.'),
  per: duration.prefault(usual.per).describe('In each span of this length.'),
})

/** As it is written. */
interface Allowance {
  readonly count?: number | undefined
  readonly per?: string | undefined
}

/** The keys of a strategy that bound how many sessions begin. */
export const sessionQuota: {
  readonly newPerClient: z.ZodType<SessionQuotaConfig['newPerClient'], Allowance | false>
  readonly maxSessions: z.ZodType<number, number>
} = {
  newPerClient: z
    .union([newPerClient, z.literal(false)], { error: 'must be a map such as { count: 600, per: 1m }, or false' })
    .transform((given): SessionQuotaConfig['newPerClient'] => given || undefined),
  maxSessions: whole(1, 1_000_000_000),
}
