import type { Milliseconds } from './store.ts'

/** Calls back once after a delay, 0 being the end of this turn of the event loop; answers how to call it off. */
export type After = (delay: Milliseconds, callback: () => void) => () => void

/** The process's own timers; they keep no process alive. */
export const after: After = (delay, callback) => {
  if (delay === 0) {
    const immediate = setImmediate(callback)
    return () => clearImmediate(immediate)
  }
  const timer = setTimeout(callback, delay).unref()
  return () => clearTimeout(timer)
}
