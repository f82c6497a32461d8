import type { LogOutput } from './log.ts'

/** Sees to it that what ends this process is in the log, too. */
export function logCrashes({ log, flush }: LogOutput): void {
  process.on('uncaughtExceptionMonitor', (error) => {
    log.error({ err: error }, 'process failed')
    flush()
  })
}
