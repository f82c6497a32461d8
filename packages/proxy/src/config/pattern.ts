import { linearPattern } from '../wire/linear-pattern.ts'
import { Flaw } from './flaw.ts'

/** What a route's pattern looks like, for people. */
export const patternExpectation = 'must be a regular expression such as ^/images/|\\.png(\\?|$)'

/** A regular expression that is found in request targets: what no engine finds in linear time is refused (decision 0010). */
export function parsePattern(text: string): string | Flaw {
  if (text === '') return new Flaw(`${patternExpectation}; leave it out to match all`)
  const compiled = linearPattern(text)
  return typeof compiled === 'string' ? new Flaw(`${patternExpectation}: ${compiled}`) : text
}

/** A pattern for the beginning of a body, which names one value by its group. */
export function parseKeyPattern(text: string): string | Flaw {
  const compiled = linearPattern(text)
  if (typeof compiled === 'string') return new Flaw(`must be a regular expression in RE2's syntax: ${compiled}`)
  const { groups } = compiled
  return groups === 1 ? text : new Flaw(`must have exactly one group, which is the value; this one has ${groups}`)
}

/** A pattern that is found in the beginning of a body. */
export function parseBodyPattern(text: string): string | Flaw {
  const compiled = linearPattern(text)
  return typeof compiled === 'string' ? new Flaw(`must be a regular expression in RE2's syntax: ${compiled}`) : text
}
