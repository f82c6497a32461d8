import { RE2JS } from 're2js'

import { Flaw } from '../flaw.ts'

/** A pattern for the beginning of a body, which names one value by its group. */
export function parseKeyPattern(text: string): string | Flaw {
  try {
    const groups = RE2JS.compile(text).groupCount()
    return groups === 1 ? text : new Flaw(`must have exactly one group, which is the value; this one has ${groups}`)
  } catch (error) {
    return new Flaw(`must be a regular expression in RE2's syntax: ${(error as Error).message}`)
  }
}
