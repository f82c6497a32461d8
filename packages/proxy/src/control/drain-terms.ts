import type { Milliseconds } from '@sticky/store'

import type { Config } from '../config/config.ts'
import type { DrainTerms } from '../traffic/traffic.ts'

// Who connects at the end of the grace is to be answered, too.
const mostGrace = 0.8

/** How the workers of a node drain, one or all of them; `grace` where it is not to be the configured one. */
export function drainTerms({ drain, shutdownTimeout }: Config, grace: Milliseconds = drain.grace): DrainTerms {
  return { accepting: 0, grace: Math.min(grace, mostGrace * shutdownTimeout), longest: shutdownTimeout, shared: true }
}
