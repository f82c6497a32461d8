import * as z from 'zod'

import type { BackendConfig } from './config.ts'
import { defaults } from './defaults.ts'
import { cloneIdExpectation } from './names.ts'
import { flag, list, map, optional, whole } from './schema-shapes.ts'
import { cloneId, duration, id, origin, ownPrefix } from './schema-values.ts'

const timeouts = map({
  connect: optional(duration).describe('For a connection to this backend. By default the pool’s.'),
  response: optional(duration).describe('For the head of its answer. By default the pool’s.'),
})

const instance = z.union([z.literal(false), cloneId], { error: `${cloneIdExpectation}, or false for none` })

const contents = map({
  id: id.describe('Its name in sessions, logs and metrics. Keep it when the address changes: sessions follow the id.'),
  url: origin.describe('Scheme, host and port; a name is looked up at each new connection.'),
  weight: whole(0, 1000)
    .prefault(defaults.weight)
    .describe('Its share of newcomers, relative to the others. At 0 it keeps its sessions and gets no newcomers.'),
  cloneIds: optional(list(cloneId, 'must be a list of clone ids such as [v544d0o0], or [] for none')).describe(
    'What the application’s session ids call it, for `clone-id`; `[]`: it has no sessions of its own. By default its id.',
  ),
  backup: flag()
    .prefault(defaults.backup)
    .describe(
      'It gets newcomers only while none of the others can take them; of several the first in the order written. Sessions that began on it stay.',
    ),
  maxConnections: optional(whole(1, 1_000_000)).describe(
    'The most exchanges in flight on it, counted over the whole cluster; beyond that even its own sessions go elsewhere. No limit by default.',
  ),
  timeouts: timeouts.prefault({}).describe('What this backend may take longer or shorter for than the others.'),
  instance: optional(instance).describe(
    'What `companion-cookie` and `instance-cookie` call it in their cookies; `false`: they never name it. By default its id.',
  ),
  prefix: optional(ownPrefix).describe(
    'What the paths of its sessions begin with, such as `/GAS1`, for `instance-path`.',
  ),
})

/** One backend of a pool. */
export const backendSchema: z.ZodType<BackendConfig> = contents.transform((given) => ({
  ...given,
  cloneIds: given.cloneIds ?? [given.id],
  instance: given.instance === false ? undefined : (given.instance ?? given.id),
}))
