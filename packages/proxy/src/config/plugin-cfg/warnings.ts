import type { Place } from '../mistakes.ts'

/** Something in a plugin-cfg.xml that will not work as written, and what is done instead. */
export interface Warning {
  readonly place: Place
  readonly problem: string
}

/** Takes note of a warning and goes on. */
export type Warn = (place: Place, problem: string) => void
