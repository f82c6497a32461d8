import type { Milliseconds, Store } from '@sticky/store'

import { logCrashes } from './crash-log.ts'
import type { WorkerOrder } from './data-plane.ts'
import { type LogOutput, openLog } from './log.ts'
import { processMetrics, watchProcess } from './metrics.ts'
import { openConfiguredStore } from './node.ts'
import { drainSignals } from './signals.ts'
import { StartFailure, startFailure } from './start-failure.ts'
import { untilAvailable } from './store-absence.ts'
import { openWorker, type Worker } from './worker.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

// The program of a forked worker: does what the primary tells it, and ends when the primary is gone (node:cluster sees to that).

interface Running {
  readonly worker: Worker
  readonly store: Store
  readonly output: LogOutput
}

let running: Promise<Running | undefined> = Promise.resolve(undefined)

// A terminal's Ctrl-C and a service manager's SIGTERM reach every process of a node: the primary decides what follows.
for (const signal of [...drainSignals, 'SIGHUP'] as const) process.on(signal, () => {})

process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') running = start(message.order)
  if (message.kind === 'report') running.then((here) => here && report(here, message.question))
  if (message.kind === 'rekey') running.then((here) => here?.worker.rekey(message.keyring))
  if (message.kind === 'place') running.then((here) => here?.worker.place(message.standings))
  if (message.kind === 'drain') running.then((here) => end(here, message.within))
})

async function start(order: WorkerOrder): Promise<Running | undefined> {
  const output = openLog({ node: order.config.node.id })
  logCrashes(output)
  watchProcess()
  const store = openConfiguredStore(order.config.store)
  try {
    // One that began to serve before would refuse its first newcomers.
    await untilAvailable(store, order.config.store.commandTimeout)
    const worker = await openWorker(order, store, output)
    tell({ kind: 'serving', addresses: worker.addresses })
    return { worker, store, output }
  } catch (error) {
    fail(startFailure(error), output)
    return undefined
  }
}

/** The primary ends a worker that failed. */
function fail(error: unknown, { log }: LogOutput): void {
  if (!(error instanceof StartFailure)) log.error({ err: error }, 'worker could not start')
  tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) })
}

async function report({ worker }: Running, question: number): Promise<void> {
  const { backends, metrics } = worker.report()
  tell({ kind: 'reported', question, report: { backends, metrics: [...metrics, ...(await processMetrics())] } })
}

async function end(here: Running | undefined, within: Milliseconds): Promise<void> {
  await here?.worker.drain(within)
  await here?.worker[Symbol.asyncDispose]()
  await here?.store[Symbol.asyncDispose]()
  await here?.output[Symbol.asyncDispose]()
  process.exit(0)
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
