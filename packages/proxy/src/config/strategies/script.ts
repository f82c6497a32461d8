import * as z from 'zod'

import type { ScriptConfig } from '../config.ts'
import { defaults } from '../defaults.ts'
import { flag, map } from '../schema-shapes.ts'
import { duration, scriptPath } from '../schema-values.ts'
import type { StrategySchema } from './strategy-schema.ts'

const contents = map({
  strategy: z.literal('script').describe('A script of yours recognises, binds, directs and refuses: scripts.md.'),
  script: scriptPath.describe(
    'Its file, TypeScript or JavaScript; a relative path starts at this file’s folder. A new version is loaded as soon as it is saved.',
  ),
  isolate: flag()
    .prefault(defaults.script.isolate)
    .describe('Run it in threads of its own, so that one that never ends costs nobody else.'),
  timeLimit: duration
    .prefault(defaults.script.timeLimit)
    .describe(
      'How long a hook may take before the exchange goes on without it. One that loops can only be stopped with `isolate: true`.',
    ),
})

/** A script strategy; where its file is, `load.ts` knows. */
export const script: StrategySchema<ScriptConfig> = contents.transform((given) => ({ ...given, file: given.script }))
