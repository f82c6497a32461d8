import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'

import fc from 'fast-check'

import type { Candidate } from '../../packages/store/src/store.ts'
import { countsOf, LoadModel, sorted } from './load-model.ts'
import { type Command, SimulatedRedis, type SimulatedWorker, type Variant } from './load-simulation.ts'

const weights = { a: 1, b: 2, c: 1, d: 3, e: 2 }
const candidates: Candidate[] = Object.entries(weights).map(([id, weight]) => ({ id, weight }))
const mostWorkers = 3

type Step = readonly [kind: keyof typeof frequencies, worker: number, choice: number]

/** How often each thing happens; work is common, faults are not. */
const frequencies = {
  reserve: 16,
  begin: 6,
  end: 12,
  fireTimers: 14,
  execute: 14,
  answer: 14,
  pass: 5,
  flow: 8,
  lose: 2,
  reconnect: 8,
  executeLate: 5,
  executeAgain: 4,
  executeAhead: 2,
  stall: 1,
  kill: 1,
  leave: 1,
  flush: 1,
  evict: 2,
  reapByMistake: 2,
  setClock: 1,
}

/** Any interleaving of work and faults. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.oneof(...Object.entries(frequencies).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))),
    fc.nat(mostWorkers - 1),
    fc.nat(999),
  ) as fc.Arbitrary<Step>,
  { minLength: 100, maxLength: 250, size: 'max' },
)

/** What the runs of a test went through altogether. */
export interface Tally {
  picks: number
  grants: number
  refusals: number
  faults: Record<string, number>
}

/** A small cluster whose every event happens when the test says so. */
export class Chaos implements AsyncDisposable {
  readonly #redis: SimulatedRedis
  readonly #model = new LoadModel()
  readonly #live: SimulatedWorker[] = []
  /** Commands of lost connections and dead workers, which Redis may still read. */
  readonly #late: Command[] = []
  readonly #history: Command[] = []
  readonly #tally: Tally

  constructor(url: string, prefix: string, tally: Tally, variant?: Variant) {
    this.#redis = new SimulatedRedis(url, prefix, variant)
    this.#tally = tally
    while (this.#live.length < mostWorkers) this.#live.push(this.#redis.addWorker())
  }

  async step([kind, which, choice]: Step): Promise<void> {
    const worker = this.#live[which]!
    this.#tally.faults[kind] = (this.#tally.faults[kind] ?? 0) + 1
    await this.#happen(kind, worker, which, choice)
    await turn()
    this.#countsAreTrue()
  }

  /** [4] Faults end; when all is quiet the totals are the truth, and when all exchanges ended nothing is left. */
  async settle(): Promise<void> {
    for (const worker of this.#live) worker.reconnect()
    await this.#flowFor(4500)
    await this.#totalsAreTrue()
    for (const worker of this.#live) while (worker.held.length > 0) worker.end(0)
    await this.#flowFor(60)
    await this.#totalsAreTrue()
    await this.#picksAreMade()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { granted, refused } of this.#redis.workers) {
      this.#tally.grants += granted
      this.#tally.refusals += refused
    }
    this.#tally.picks += this.#model.picks
    await this.#redis[Symbol.asyncDispose]()
  }

  async #happen(kind: Step[0], worker: SimulatedWorker, which: number, choice: number): Promise<void> {
    switch (kind) {
      case 'reserve':
        return worker.reserve(someCandidates(choice))
      case 'begin':
        return worker.begin(candidates[choice % candidates.length]!.id)
      case 'end':
        return worker.end(choice)
      case 'fireTimers':
        return worker.fireTimers()
      case 'execute':
        return this.#execute(worker)
      case 'answer':
        return worker.answer()
      case 'pass':
        this.#redis.now += [1, 10, 60, 200][choice % 4]!
        return
      case 'flow':
        return this.#flow(worker)
      case 'lose':
        this.#late.push(...worker.lose())
        return
      case 'reconnect':
        return worker.reconnect()
      case 'executeLate':
        return this.#executeOne(this.#late.splice(0, 1)[0])
      case 'executeAgain':
        return this.#executeOne(again(this.#history.at(-1 - (choice % 12))))
      case 'executeAhead':
        return this.#executeAhead(worker)
      case 'stall':
        this.#redis.now += [600, 1200, 3000][choice % 3]!
        return
      case 'kill':
        return this.#replace(which, worker)
      case 'leave':
        worker.load.leave()
        await this.#flow(worker)
        return this.#replace(which, worker)
      case 'flush':
        return this.#model.removed(await this.#redis.flush())
      case 'setClock':
        this.#redis.skew += [-60_000, -300, 5000][choice % 3]!
        return
      case 'evict':
        return this.#evict(worker, which, choice)
      case 'reapByMistake':
        return this.#executeOne(this.#redis.reapOf(worker, this.#live[choice % mostWorkers]!))
    }
  }

  async #execute(worker: SimulatedWorker): Promise<void> {
    const command = worker.sent.shift()
    await this.#executeOne(command)
    if (command) worker.executed.push(command)
  }

  /** The command behind the next is executed first. */
  async #executeAhead(worker: SimulatedWorker): Promise<void> {
    const [command] = worker.sent.splice(1, 1)
    await this.#executeOne(command)
    if (command) worker.executed.push(command)
  }

  async #executeOne(command: Command | undefined): Promise<void> {
    if (!command) return
    const after = await this.#redis.execute(command)
    this.#history.push(command)
    this.#model.executed(command, after, this.#redis.time)
  }

  async #evict(worker: SimulatedWorker, which: number, choice: number): Promise<void> {
    const key = choice % 3 === 0 ? this.#redis.loadKey : this.#redis.ledgerKey(worker)
    this.#model.removed(await this.#redis.remove(key))
    if (choice % 3 === 1) this.#replace(which, worker)
  }

  #replace(which: number, worker: SimulatedWorker): void {
    this.#late.push(...worker.lose())
    this.#live[which] = this.#redis.addWorker()
  }

  /** A worker's timers, calls and replies, undisturbed until nothing is left to do now. */
  async #flow(worker: SimulatedWorker): Promise<void> {
    worker.fireTimers()
    while (worker.sent.length + worker.executed.length > 0) {
      await this.#execute(worker)
      worker.answer()
      await turn()
    }
  }

  async #flowFor(duration: number): Promise<void> {
    for (const end = this.#redis.now + duration; this.#redis.now < end; this.#redis.now += duration > 100 ? 50 : 10) {
      for (const worker of this.#live) await this.#flow(worker)
    }
  }

  #countsAreTrue(): void {
    for (const { load, held } of this.#live) {
      for (const { id } of candidates) {
        assert.equal(load.count(id), held.filter((backend) => backend === id).length, 'a count in the worker')
      }
    }
  }

  async #totalsAreTrue(): Promise<void> {
    const { load } = await this.#redis.snapshot()
    const truth = new Map<string, number>()
    for (const backend of this.#live.flatMap(({ held }) => held)) truth.set(backend, (truth.get(backend) ?? 0) + 1)
    assert.deepEqual(sorted(countsOf(load)), sorted(truth), 'totals when all is quiet')
  }

  async #picksAreMade(): Promise<void> {
    for (const worker of this.#live) {
      const before = worker.held.length
      worker.reserve(candidates)
      await this.#flow(worker)
      assert.equal(worker.held.length, before + 1, 'a pick when all is quiet')
    }
  }
}

/** Different subsets, now and then with limits. */
function someCandidates(choice: number): Candidate[] {
  const tried = choice % 8
  const left = candidates.filter((_candidate, at) => at !== tried)
  return choice % 5 === 0 ? left.map((candidate) => ({ ...candidate, limit: 2 })) : left
}

/** The same command once more, as a network or a client library may repeat it; nobody hears the reply. */
function again(command: Command | undefined): Command | undefined {
  return command && { ...command, resolve: () => {}, reject: () => {} }
}
