import { RE2JS, RE2JSException } from 're2js'

/** A regular expression that looks for itself in what comes from the wire, in a time that grows only with its length. */
export interface LinearPattern {
  /** How many groups it has. */
  readonly groups: number
  matches(text: string): boolean
  /** What its first group holds where it is found first; undefined where there is nothing. */
  find(text: string): string | undefined
}

// Steps of the compiled pattern: what one character may cost. RE2's own limits would allow 100 times more.
const MOST_STEPS = 300

/** Compiles a pattern of RE2's syntax (decision 0010); a text says what is wrong with it. */
export function linearPattern(source: string): LinearPattern | string {
  try {
    const pattern = RE2JS.compile(source)
    const steps = pattern.programSize()
    if (steps > MOST_STEPS) return `is too large: it compiles to ${steps} steps, of ${MOST_STEPS} at most`
    return { groups: pattern.groupCount(), matches: (text) => pattern.test(text), find: firstGroup(pattern) }
  } catch (error) {
    if (error instanceof RE2JSException) return error.message.replace(/^error parsing regexp: /, '')
    throw error
  }
}

function firstGroup(pattern: RE2JS): LinearPattern['find'] {
  return (text) => {
    const matcher = pattern.matcher(text)
    return matcher.find() ? (matcher.group(1) ?? undefined) : undefined
  }
}

/** The same of a pattern that the configuration has let pass; throws where it has not. */
export function checkedPattern(source: string): LinearPattern {
  const pattern = linearPattern(source)
  if (typeof pattern === 'string') throw new Error(`pattern ${source} ${pattern}`)
  return pattern
}
