import type { Worker } from 'node:cluster'

import type { Milliseconds } from '@sticky/store'

import type { KeyringData } from '../affinity/keyring.ts'
import type { Config } from '../config/config.ts'
import type { DrainTerms } from '../traffic/traffic.ts'
import type { NamedStanding } from '../upstream/standings.ts'
import type { NodeSecrets } from './certificates.ts'
import type { WorkerOrder } from './data-plane.ts'
import { StartFailure } from './start-failure.ts'
import type { Answers, FromWorker, Question, ToWorker } from './worker-messages.ts'
import type { WorkerReport } from './worker-report.ts'

/** How a worker's process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: string | null
}

/** Longest wait for a worker's report: a scrape must not hang on one that does. */
const reportTime: Milliseconds = 2_000

/** Nobody waits for longer to hear that all workers have reached a barrier. */
const reachTime: Milliseconds = 2_000

/** Longest wait for a worker to make ready for another configuration: scripts in threads are given ten seconds to load. */
const changeTime: Milliseconds = 20_000

/** Longest wait for a worker to forget it: one that did not get ready in time is not waited for again. */
const abandonTime: Milliseconds = 2_000

/** A worker's process, from the primary's side. */
export class WorkerHandle {
  /** Its addresses, once it serves; rejects with StartFailure when it ends before. */
  readonly serving: Promise<readonly string[]>
  readonly ended: Promise<Ending>
  /** What it told of itself last. */
  lastReport: WorkerReport | undefined
  readonly #worker: Worker
  readonly #questions = new Map<number, (answer: unknown) => void>()
  #asked = 0
  #isEnded = false

  constructor(worker: Worker, order: WorkerOrder) {
    this.#worker = worker
    // Not `once` of node:events, which would reject: what can be told to it no more is about to exit.
    this.ended = new Promise((resolve) => worker.once('exit', (code, signal) => resolve({ code, signal })))
    this.serving = new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'serving') resolve(message.addresses)
        if (message.kind === 'failed') reject(new StartFailure(message.reason))
        if (message.kind === 'answered') this.#answer(message.number, message.answer)
        if (message.kind === 'drained') this.lastReport = message.report
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
  async report(): Promise<WorkerReport | undefined> {
    const report = await this.#ask({ of: 'report' }, reportTime)
    this.lastReport = report ?? this.lastReport
    return report
  }

  /** Makes it ready for another configuration; answers why it cannot be, and undefined when it is, or has ended. */
  async prepare(config: Config): Promise<string | undefined> {
    const answer = await this.#ask({ of: 'prepare', config }, changeTime)
    if (answer !== undefined) return answer.reason
    return this.#isEnded ? undefined : `worker ${this.pid} did not answer in time`
  }

  /** Where clients connect once it serves by what it was made ready for; undefined when it has ended. */
  async adopt(): Promise<readonly string[] | undefined> {
    return (await this.#ask({ of: 'adopt' }, changeTime))?.addresses
  }

  /** Lets it forget what it was made ready for. */
  async abandon(): Promise<void> {
    await this.#ask({ of: 'abandon' }, abandonTime)
  }

  /** Has it reached the barrier, or ended? False when it does not say so in time. */
  async reach(barrier: string): Promise<boolean> {
    const answer = await this.#ask({ of: 'reach', barrier }, reachTime)
    return answer?.reached ?? this.#isEnded
  }

  rekey(keyring: KeyringData): void {
    this.#tell({ kind: 'rekey', keyring })
  }

  secure(secrets: NodeSecrets): void {
    this.#tell({ kind: 'secure', secrets })
  }

  place(standings: readonly NamedStanding[]): void {
    this.#tell({ kind: 'place', standings })
  }

  drain(terms: DrainTerms): void {
    this.#tell({ kind: 'drain', terms })
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }

  /** Undefined when it ends before it answers, or does not in time. */
  #ask<Asked extends Question>(question: Asked, within: Milliseconds): Promise<Answers[Asked['of']] | undefined> {
    if (this.#isEnded) return Promise.resolve(undefined)
    const number = ++this.#asked
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(number, undefined), within)
      this.#questions.set(number, (answer) => {
        clearTimeout(timer)
        resolve(answer as Answers[Asked['of']] | undefined) // Numbers tell which question it answers.
      })
      this.#tell({ kind: 'ask', number, question })
    })
  }

  #tell(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message)
  }

  #answer(number: number, answer: unknown): void {
    this.#questions.get(number)?.(answer)
    this.#questions.delete(number)
  }

  #answerAll(): void {
    this.#isEnded = true
    for (const number of this.#questions.keys()) this.#answer(number, undefined)
  }
}

/** An ending for people. */
export function describe({ code, signal }: Ending): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`
}
