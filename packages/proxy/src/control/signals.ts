import type { LogOutput } from './log.ts'

/** Signals that ask a node to drain and end. */
export const drainSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const

/** Exit code of a node that was told twice and ended without waiting. */
const endedAtOnce = 2

/** Aborts at the first signal that asks the node to end; a second one ends the process at once. SIGHUP does nothing yet. */
export function stopSignal({ log, flush }: LogOutput): AbortSignal {
  const stop = new AbortController()
  process.on('SIGHUP', () => log.info({ signal: 'SIGHUP' }, 'signal ignored'))
  for (const signal of drainSignals) {
    process.on(signal, () => {
      if (stop.signal.aborted) {
        flush()
        process.exit(endedAtOnce)
      }
      log.info({ signal }, 'stopping')
      stop.abort()
    })
  }
  return stop.signal
}
