import { targetPattern } from '../routing/target-pattern.ts'
import { Flaw } from './flaw.ts'

/** What a route's pattern looks like, for people. */
export const patternExpectation = 'must be a regular expression such as ^/images/|\\.png(\\?|$)'

/** A regular expression that is found in request targets: what no engine finds in linear time is refused (decision 0010). */
export function parsePattern(text: string): string | Flaw {
  if (text === '') return new Flaw(`${patternExpectation}; leave it out to match all`)
  const compiled = targetPattern(text)
  return typeof compiled === 'string' ? new Flaw(`${patternExpectation}: ${compiled}`) : text
}
