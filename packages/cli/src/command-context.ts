import type { AdminApi } from '@sticky/proxy/admin-api'

import type { Output } from './output.ts'
import type { Clock } from './times.ts'

/** What every command works with. */
export interface CommandContext {
  readonly api: AdminApi
  readonly output: Output
  readonly clock: Clock
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal
}
