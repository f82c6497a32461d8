import type { ZodType } from 'zod'

import type { BackendConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { map, whole } from './schema-shapes.ts'
import { id, origin } from './schema-values.ts'

/** One backend of a pool. */
export const backendSchema: ZodType<BackendConfig> = map({
  id: id.describe('Its name in sessions, logs and metrics. Keep it when the address changes: sessions follow the id.'),
  url: origin.describe('Scheme, host and port; a name is looked up at each new connection.'),
  weight: whole(0, 1000)
    .prefault(defaults.weight)
    .describe('Its share of newcomers, relative to the others. At 0 it keeps its sessions and gets no newcomers.'),
})
