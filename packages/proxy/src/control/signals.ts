import type { Milliseconds } from '@sticky/store'

import type { LogOutput } from './log.ts'

/** Signals that ask a node to drain and end. */
export const drainSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const

/** Exit code of a node that was told twice and ended without waiting. */
const endedAtOnce = 2

/** Service managers, terminals and package managers may each pass the same wish on: within this time they mean one. */
const sameWish: Milliseconds = 1_000

/**
 * Aborts at the first signal that asks the node to end, with that signal as its reason; a second one, a second later or more, ends
 * the process at once.
 */
export function stopSignal({ log, flush }: LogOutput): AbortSignal {
  const stop = new AbortController()
  let asked = 0
  for (const signal of drainSignals) {
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        asked = performance.now()
        log.info({ signal }, 'stopping')
        stop.abort(signal)
      } else if (performance.now() - asked >= sameWish) {
        flush()
        process.exit(endedAtOnce)
      }
    })
  }
  return stop.signal
}

/** Calls at each SIGHUP, which would else end the process. */
export function onReloadSignal(reload: () => void): void {
  process.on('SIGHUP', reload)
}
