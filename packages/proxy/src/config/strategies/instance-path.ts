import * as z from 'zod'

import type { InstancePathConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { flag, map, oneOf } from '../schema-shapes.ts'
import { pathPrefix } from '../schema-values.ts'
import type { StrategySchema } from './strategy-schema.ts'

const usual = defaults.instancePath

/** An instance-path strategy. */
export const instancePath: StrategySchema<InstancePathConfig> = map({
  strategy: z
    .literal('instance-path')
    .describe('The path of a request begins with the `prefix` of its backend, which gets it.'),
  start: pathPrefix
    .prefault(usual.start)
    .describe(
      'A request of this path or below it begins a session: its backend is chosen and sees its own `prefix` instead. `/`: the prefix is put before every path that has none.',
    ),
  whenAway: oneOf(['refuse', 'move'])
    .prefault(usual.whenAway)
    .describe(
      'A request whose backend cannot serve: `refuse` answers 503; `move` gives it to another, with that one’s `prefix`.',
    ),
  mapResponses: flag()
    .prefault(usual.mapResponses)
    .describe(
      'Backends know only the `start` path: requests are sent with that one, and `Location` and the `Path` of cookies get the `prefix` in answers.',
    ),
})
