import type { Store } from '@sticky/store'

import type { Config } from '../config/config.ts'
import type { DrainTerms } from '../traffic/traffic.ts'
import { logCrashes } from './crash-log.ts'
import type { WorkerOrder } from './data-plane.ts'
import { type LogOutput, openLog } from './log.ts'
import { processMetrics, watchProcess } from './metrics.ts'
import { openConfiguredStore } from './node.ts'
import { drainSignals } from './signals.ts'
import { StallWatch } from './stall-watch.ts'
import { StartFailure, startFailure } from './start-failure.ts'
import { untilAvailable } from './store-absence.ts'
import { openWorker, type PreparedWorker, type Worker } from './worker.ts'
import type { Answers, FromWorker, Question, ToWorker } from './worker-messages.ts'
import type { WorkerReport } from './worker-report.ts'

// The program of a forked worker: does what the primary tells it, and ends when the primary is gone (node:cluster sees to that).

interface Running {
  readonly worker: Worker
  readonly store: Store
  readonly output: LogOutput
  /** The configuration that waits to be adopted or abandoned. */
  prepared: PreparedWorker | undefined
  /** Settled when all that was asked about configurations is answered. */
  change: Promise<void>
}

let running: Promise<Running | undefined> = Promise.resolve(undefined)

// A terminal's Ctrl-C and a service manager's SIGTERM reach every process of a node: the primary decides what follows.
for (const signal of [...drainSignals, 'SIGHUP'] as const) process.on(signal, () => {})

process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') running = start(message.order)
  if (message.kind === 'rekey') running.then((here) => here?.worker.rekey(message.keyring))
  if (message.kind === 'secure') running.then((here) => here?.worker.secure(message.secrets))
  if (message.kind === 'place') running.then((here) => here?.worker.place(message.standings))
  if (message.kind === 'ask') running.then((here) => here && answer(here, message.number, message.question))
  if (message.kind === 'drain') running.then((here) => end(here, message.terms))
})

async function start(order: WorkerOrder): Promise<Running | undefined> {
  const output = openLog({ node: order.config.node.id })
  logCrashes(output)
  watchProcess()
  const store = openConfiguredStore(order.config.store)
  try {
    // One that began to serve before would place its first newcomers by its own numbers.
    if (!order.storeAway) await untilAvailable(store, order.config.store.commandTimeout)
    const worker = await openWorker(order, store, output)
    new StallWatch(output.log, order.config.store.lease)
    tell({ kind: 'serving', addresses: worker.addresses })
    return { worker, store, output, prepared: undefined, change: Promise.resolve() }
  } catch (error) {
    fail(startFailure(error), output)
    return undefined
  }
}

/** The primary ends a worker that failed. */
function fail(error: unknown, { log }: LogOutput): void {
  if (!(error instanceof StartFailure)) log.error({ err: error }, 'worker could not start')
  tell({ kind: 'failed', reason: reasonOf(error) })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function answer(here: Running, number: number, question: Question): Promise<void> {
  if (question.of === 'report') return tell({ kind: 'answered', number, answer: await report(here) })
  if (question.of === 'reach') return tell({ kind: 'answered', number, answer: await reach(here, question.barrier) })
  // In their order: what is abandoned may not be ready yet.
  here.change = here.change.then(async () => tell({ kind: 'answered', number, answer: await change(here, question) }))
}

async function report({ worker }: Running): Promise<WorkerReport> {
  const { backends, metrics } = worker.report()
  return { backends, metrics: [...metrics, ...(await processMetrics())] }
}

async function reach({ worker }: Running, barrier: string): Promise<Answers['reach']> {
  return { reached: await worker.reach(barrier) }
}

async function change(
  here: Running,
  question: Exclude<Question, { of: 'report' | 'reach' }>,
): Promise<Answers['prepare' | 'adopt']> {
  if (question.of === 'prepare') return { reason: await prepare(here, question.config) }
  const { prepared } = here
  here.prepared = undefined
  await prepared?.[question.of]()
  return { addresses: here.worker.addresses }
}

async function prepare(here: Running, config: Config): Promise<string | undefined> {
  try {
    here.prepared = await here.worker.prepare(config)
    return undefined
  } catch (error) {
    return reasonOf(startFailure(error))
  }
}

async function end(here: Running | undefined, terms: DrainTerms): Promise<void> {
  await here?.worker.drain(terms)
  if (here !== undefined) tell({ kind: 'drained', report: await report(here) })
  await here?.worker[Symbol.asyncDispose]()
  await here?.store[Symbol.asyncDispose]()
  await here?.output[Symbol.asyncDispose]()
  process.exit(0)
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
