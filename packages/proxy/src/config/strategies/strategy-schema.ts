import type { core, ZodType } from 'zod'

import type { AffinityConfig } from '../config.ts'

/** How one strategy is written in the file: a map with its name under `strategy`. */
export type StrategySchema<Strategy extends AffinityConfig> = ZodType<Strategy> & core.$ZodTypeDiscriminable
