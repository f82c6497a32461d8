import cluster from 'node:cluster'
import { extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { Milliseconds } from '@sticky/store'

import type { KeyringData } from '../affinity/keyring.ts'
import { showAddress } from '../config/address.ts'
import type { Config } from '../config/config.ts'
import type { DrainTerms } from '../traffic/traffic.ts'
import type { NamedStanding } from '../upstream/standings.ts'
import type { NodeSecrets } from './certificates.ts'
import type { DataPlane, WorkerOrder } from './data-plane.ts'
import { ListenerAddresses } from './listener-addresses.ts'
import type { Log } from './log.ts'
import { countersOf, merged } from './metrics.ts'
import { restartDelay } from './restart-delay.ts'
import { StartFailure, startFailure } from './start-failure.ts'
import { describe, WorkerHandle } from './worker-handle.ts'
import type { WorkerReport } from './worker-report.ts'

/** What a drained worker gets beyond its time before it is killed. */
const grace: Milliseconds = 1000

/** Forks the configured number of workers and keeps that many alive; rejects with StartFailure when one cannot start. */
export async function forkWorkers(order: WorkerOrder, log: Log): Promise<DataPlane> {
  const program = fileURLToPath(new URL(`./worker-process${extname(import.meta.url)}`, import.meta.url))
  // Workers accept for themselves: docs/decisions/0009.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ exec: program, args: [], serialization: 'advanced' })
  const supervisor = new Supervisor(order, log)
  try {
    await supervisor.start()
  } catch (error) {
    await supervisor[Symbol.asyncDispose]()
    throw error
  }
  return supervisor
}

class Supervisor implements DataPlane {
  addresses: readonly string[] = []
  restarts = 0
  readonly #log: Log
  #order: WorkerOrder
  readonly #alive = new Set<WorkerHandle>()
  readonly #serving = new Set<WorkerHandle>()
  /** Drains while its successor serves. */
  readonly #replaced = new Set<WorkerHandle>()
  readonly #listeners: ListenerAddresses
  #restarting = false
  /** Settled when nothing changes that a worker must not miss. */
  #change: Promise<unknown> = Promise.resolve()
  /** What is left of the counters of workers that ended. */
  #departed: object[] = []
  readonly #closing = new AbortController()

  constructor(order: WorkerOrder, log: Log) {
    this.#order = order
    this.#log = log
    this.#listeners = new ListenerAddresses(order.config.listen)
  }

  get serving(): number {
    return [...this.#serving].filter((worker) => !this.#replaced.has(worker)).length
  }

  async start(): Promise<void> {
    const workers = Array.from({ length: this.#order.config.node.workers }, () => this.#fork())
    const [addresses] = await Promise.all(workers.map((worker) => worker.serving))
    this.addresses = addresses ?? []
    for (const worker of workers) this.#keepAlive(worker)
  }

  async reports(): Promise<readonly WorkerReport[]> {
    const reports = await Promise.all(Array.from(this.#serving, (worker) => worker.report()))
    return [{ metrics: this.#departed, backends: [] }, ...reports.filter((report) => report !== undefined)]
  }

  rekey(keyring: KeyringData): void {
    this.#order = { ...this.#order, keyring }
    for (const worker of this.#alive) worker.rekey(keyring)
  }

  secure(secrets: NodeSecrets): void {
    this.#order = { ...this.#order, secrets }
    for (const worker of this.#alive) worker.secure(secrets)
  }

  place(standings: readonly NamedStanding[]): void {
    this.#order = { ...this.#order, standings }
    for (const worker of this.#alive) worker.place(standings)
  }

  /** A worker that starts may accept its first connection before it hears what was said since it was forked: it answers after that. */
  async reach(barrier: string): Promise<boolean> {
    const reached = await Promise.all(Array.from(this.#alive, (worker) => worker.reach(barrier)))
    return !reached.includes(false)
  }

  /** In two steps, so that either all workers change or none. */
  adopt(config: Config): Promise<void> {
    return this.#alone(async () => {
      const listeners = await this.#nextListeners(config)
      const given = { ...config, listen: listeners.listen }
      const workers = [...this.#alive].filter((worker) => !this.#replaced.has(worker))
      const refusals = await Promise.all(workers.map((worker) => worker.prepare(given)))
      const refusal = refusals.find((reason) => reason !== undefined)
      if (refusal !== undefined) {
        await Promise.all(workers.map((worker) => worker.abandon()))
        throw new StartFailure(refusal)
      }
      const addresses = await Promise.all(workers.map((worker) => worker.adopt()))
      listeners.adopt()
      this.addresses = addresses.find((bound) => bound !== undefined) ?? this.#expected(given)
      this.#order = { ...this.#order, config: given }
    })
  }

  /** Where clients will connect when there is a worker again: a listener that stays keeps a port that it was given. */
  #expected({ listen }: Config): readonly string[] {
    const before = this.#order.config.listen.map(({ address }) => showAddress(address))
    const told = listen.map(({ address }) => showAddress(address))
    return told.map((address) => this.addresses[before.indexOf(address)] ?? address)
  }

  async #nextListeners({ listen }: Config): ReturnType<ListenerAddresses['next']> {
    try {
      return await this.#listeners.next(listen)
    } catch (error) {
      throw startFailure(error)
    }
  }

  async restart(terms: DrainTerms): Promise<void> {
    if (this.#restarting) throw new StartFailure('the workers of this node are being replaced already')
    this.#restarting = true
    try {
      for (const worker of [...this.#serving]) {
        if (this.#alive.has(worker) && !this.#closing.signal.aborted) await this.#replace(worker, terms)
      }
      if (this.#closing.signal.aborted) throw new StartFailure('the node is draining')
    } finally {
      this.#restarting = false
    }
  }

  async #replace(worker: WorkerHandle, terms: DrainTerms): Promise<void> {
    const successor = await this.#alone(async () => {
      const started = this.#another()
      await started?.serving
      return started
    })
    // The whole node drains: both do.
    if (successor === undefined || this.#closing.signal.aborted) return
    // One that has ended by itself meanwhile is replaced as ever: then it is the successor that is one too many.
    const leaving = this.#alive.has(worker) ? worker : successor
    this.#replaced.add(leaving)
    if (leaving === worker) this.#keepAlive(successor)
    leaving.drain(terms)
    const overdue = setTimeout(() => leaving.kill(), terms.longest + grace)
    await leaving.ended
    clearTimeout(overdue)
  }

  async drain(terms: DrainTerms): Promise<void> {
    this.#closing.abort()
    const workers = [...this.#alive]
    for (const worker of workers) worker.drain(terms)
    const overdue = setTimeout(() => this.#killAll(), terms.longest + grace)
    await Promise.all(workers.map((worker) => worker.ended))
    clearTimeout(overdue)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain({ accepting: 0, grace: 0, longest: 0, shared: false })
  }

  /** One after the other, whatever becomes of each. */
  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#change.then(work)
    this.#change = done.catch(() => {})
    return done
  }

  /** None once the node drains, which those that live then have been told. */
  #another(): WorkerHandle | undefined {
    return this.#closing.signal.aborted ? undefined : this.#fork()
  }

  #fork(): WorkerHandle {
    // While any worker lives they share the listening sockets; when none does, port 0 would give others than before.
    if (this.#alive.size === 0 && this.addresses.length > 0) this.#pinAddresses()
    const worker = new WorkerHandle(cluster.fork(), this.#order)
    this.#alive.add(worker)
    worker.serving.then(
      (addresses) => this.#serves(worker, addresses),
      (failure) => this.#failed(worker, failure),
    )
    worker.ended.then(() => this.#forget(worker))
    return worker
  }

  /** All others may have ended before it listened, and with them the sockets: on another port than before nobody finds it. */
  #serves(worker: WorkerHandle, addresses: readonly string[]): void {
    const isElsewhere = this.addresses.length > 0 && portsOf(addresses) !== portsOf(this.addresses)
    if (isElsewhere) return this.#failed(worker, new StartFailure(`it listens on ${addresses.join(', ')}`))
    this.#serving.add(worker)
    this.#log.info({ worker_pid: worker.pid }, 'worker started')
  }

  /** Of the first workers whoever starts the node is told. */
  #failed(worker: WorkerHandle, failure: Error): void {
    worker.kill()
    if (this.addresses.length > 0) this.#log.error({ reason: failure.message }, 'worker could not start')
  }

  #pinAddresses(): void {
    const { config } = this.#order
    this.#listeners.pin(this.addresses)
    this.#order = { ...this.#order, config: { ...config, listen: this.#listeners.of(config.listen) } }
  }

  /** Follows one worker and those that take its place. */
  async #keepAlive(first: WorkerHandle): Promise<void> {
    let worker = first
    for (let early = 0; ; ) {
      const began = performance.now()
      const ending = await worker.ended
      if (this.#closing.signal.aborted || this.#replaced.delete(worker)) return
      const wait = restartDelay(performance.now() - began, early)
      early = wait.early
      const facts = { worker_pid: worker.pid, ending: describe(ending), restart_in_ms: wait.delay }
      this.#log.error(facts, 'worker ended')
      await delay(wait.delay, undefined, { signal: this.#closing.signal }).catch(() => {})
      const successor = await this.#alone(async () => this.#another())
      if (successor === undefined) return
      this.restarts++
      worker = successor
    }
  }

  async #forget(worker: WorkerHandle): Promise<void> {
    this.#alive.delete(worker)
    this.#serving.delete(worker)
    if (worker.lastReport === undefined) return
    this.#departed = await merged([this.#departed, countersOf(worker.lastReport.metrics)])
  }

  #killAll(): void {
    for (const worker of this.#alive) worker.kill()
  }
}

function portsOf(addresses: readonly string[]): string {
  return addresses.map((address) => address.split(':').at(-1)).join()
}
