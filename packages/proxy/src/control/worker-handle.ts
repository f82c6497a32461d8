import type { Worker } from 'node:cluster'
import { once } from 'node:events'

import type { Milliseconds } from '@sticky/store'

import type { KeyringData } from '../affinity/keyring.ts'
import type { NamedStanding } from '../upstream/standings.ts'
import type { WorkerOrder } from './data-plane.ts'
import { StartFailure } from './start-failure.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'
import type { WorkerReport } from './worker-report.ts'

/** How a worker's process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: string | null
}

/** A worker's process, from the primary's side. */
export class WorkerHandle {
  /** Its addresses, once it serves; rejects with StartFailure when it ends before. */
  readonly serving: Promise<readonly string[]>
  readonly ended: Promise<Ending>
  /** What it told of itself last. */
  lastReport: WorkerReport | undefined
  readonly #worker: Worker
  readonly #questions = new Map<number, (report: WorkerReport | undefined) => void>()
  #asked = 0

  constructor(worker: Worker, order: WorkerOrder) {
    this.#worker = worker
    this.ended = once(worker, 'exit').then(([code, signal]) => ({ code, signal }))
    this.serving = new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'serving') resolve(message.addresses)
        if (message.kind === 'failed') reject(new StartFailure(message.reason))
        if (message.kind === 'reported') this.#reported(message.question, message.report)
      })
      this.ended.then((ending) => reject(new StartFailure(`a worker ended while starting (${describe(ending)})`)))
    })
    this.ended.then(() => this.#answerAll())
    worker.on('error', () => {}) // A channel that breaks is told by `exit`.
    this.#tell({ kind: 'start', order })
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  /** What it tells of itself; undefined when it does not answer in time. */
  async report(within: Milliseconds): Promise<WorkerReport | undefined> {
    const question = ++this.#asked
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(question, undefined), within)
      this.#questions.set(question, (report) => {
        clearTimeout(timer)
        resolve(report)
      })
      this.#tell({ kind: 'report', question })
    })
  }

  rekey(keyring: KeyringData): void {
    this.#tell({ kind: 'rekey', keyring })
  }

  place(standings: readonly NamedStanding[]): void {
    this.#tell({ kind: 'place', standings })
  }

  drain(within: Milliseconds): void {
    this.#tell({ kind: 'drain', within })
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  #tell(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message)
  }

  #reported(question: number, report: WorkerReport): void {
    this.lastReport = report
    this.#answer(question, report)
  }

  #answer(question: number, report: WorkerReport | undefined): void {
    this.#questions.get(question)?.(report)
    this.#questions.delete(question)
  }

  #answerAll(): void {
    for (const question of this.#questions.keys()) this.#answer(question, undefined)
  }
}

/** An ending for people. */
export function describe({ code, signal }: Ending): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`
}
