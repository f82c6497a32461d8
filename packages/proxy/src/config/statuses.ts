import type { StatusRange } from './config.ts'
import { Flaw } from './flaw.ts'

/** Statuses of responses: one, a class or a range. */
export const statusesPattern: RegExp = /^(?:([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?)$/i

/** What statuses look like, for people. */
export const statusesExpectation = 'must be a status such as 204, a class such as 2xx, or a range such as 200-399'

/** The statuses that are meant. */
export function parseStatuses(text: string): StatusRange | Flaw {
  const [matched, hundreds, first, last = first] = statusesPattern.exec(text) ?? []
  if (matched === undefined) return new Flaw(statusesExpectation)
  if (hundreds !== undefined) return { from: Number(hundreds) * 100, to: Number(hundreds) * 100 + 99 }
  if (Number(last) < Number(first)) return new Flaw('must begin with the lower status', `${last}-${first}`)
  return { from: Number(first), to: Number(last) }
}
