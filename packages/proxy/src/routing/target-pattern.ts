import { RE2JS, RE2JSException } from 're2js'

/** A regular expression that looks for itself in request targets, in a time that grows only with their length. */
export interface TargetPattern {
  matches(target: string): boolean
}

// Steps of the compiled pattern: what one character may cost. RE2's own limits would allow 100 times more.
const MOST_STEPS = 300

/** Compiles a pattern of RE2's syntax (decision 0010); a text says what is wrong with it. */
export function targetPattern(source: string): TargetPattern | string {
  try {
    const pattern = RE2JS.compile(source)
    const steps = pattern.programSize()
    if (steps > MOST_STEPS) return `is too large: it compiles to ${steps} steps, of ${MOST_STEPS} at most`
    return { matches: (target) => pattern.test(target) }
  } catch (error) {
    if (error instanceof RE2JSException) return error.message.replace(/^error parsing regexp: /, '')
    throw error
  }
}
