import type { Visit } from './client.ts'

/** Milliseconds in which a process that is kept from running may use a connection whose end it has not read yet. */
const HEARD = 50

/** From when to when a process was being killed: its connections ended at some moment between. */
export interface Death {
  readonly from: number
  readonly to: number
}

/** Did that request get no answer, and was it under way at that death? */
export function wasCutBy({ from, to }: Death, { began, ended, app }: Visit): boolean {
  return app === undefined && began <= to + HEARD && ended >= from
}
