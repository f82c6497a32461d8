import { setTimeout as delay } from 'node:timers/promises'

import type { BackendDocument, BulkProgress } from '@sticky/proxy/admin-api'

import { type BackendName, carried, describe } from './backends.ts'
import type { CommandContext } from './command-context.ts'
import { CommandFailure, demandAcknowledged, exitCodes, isPassing } from './failures.ts'
import { jsonLine, printDocument } from './output.ts'
import { formatDuration, type Milliseconds, timestamp } from './times.ts'

/** What is done with the sessions that are left when the time is up. */
export type Then = 'move' | 'wait' | 'end'

/** How to drain. */
export interface DrainTerms {
  /** For how long to wait until the backend is empty; undefined: not at all, or for ever with `watch`. */
  readonly timeout?: Milliseconds | undefined
  readonly then?: Then | undefined
  /** Show what is left? */
  readonly watch?: boolean | undefined
  /** Between two looks. */
  readonly interval: Milliseconds
}

/** What is in flight when the sessions have been moved or ended has so long to end. */
const grace: Milliseconds = 5_000

/** `sticky-cli backends drain`: no newcomers from when this has been said; then waits, as it is told, until the backend is empty. */
export async function drainBackend(context: CommandContext, name: BackendName, terms: DrainTerms): Promise<void> {
  if (terms.then !== undefined && terms.timeout === undefined)
    throw new CommandFailure(exitCodes.usage, 'drain --then needs --timeout')
  const drain = new Drain(context, name, terms)
  await drain.begin()
  if (terms.timeout === undefined && terms.watch !== true) return
  try {
    await drain.wait()
  } catch (error) {
    if (context.signal.aborted) drain.sayThatItStays()
    throw error
  }
}

class Drain {
  readonly #context: CommandContext
  readonly #name: BackendName
  readonly #terms: DrainTerms
  #isLost = false

  constructor(context: CommandContext, name: BackendName, terms: DrainTerms) {
    this.#context = context
    this.#name = name
    this.#terms = terms
  }

  get #title(): string {
    return `${this.#name.pool}/${this.#name.backend}`
  }

  async begin(): Promise<void> {
    const { api, output } = this.#context
    const { pool, backend } = this.#name
    const changed = await api.changeBackend(pool, backend, { state: 'drain' })
    if (!changed.keepsSessions)
      output.note(
        `sessions of pool ${pool} are in no table: only exchanges are waited for, and none can be moved or ended`,
      )
    if (this.#waits) this.#noteUnacknowledged(changed.unacknowledged)
    else await printDocument(output, changed, () => `${this.#title} takes no newcomers: ${describe(changed)}\n`)
    if (!this.#waits) demandAcknowledged(`${this.#title} is set to drain`, changed)
  }

  get #waits(): boolean {
    return this.#terms.timeout !== undefined || this.#terms.watch === true
  }

  #noteUnacknowledged(nodes: readonly string[]): void {
    if (nodes.length > 0)
      this.#context.output.note(`not every worker of ${nodes.join(', ')} has said in time that this is in force there`)
  }

  async wait(): Promise<void> {
    const { timeout = Number.POSITIVE_INFINITY } = this.#terms
    const left = await this.#untilEmpty(timeout)
    if (left.drained) return await this.#sayEmpty(left)
    const { then = 'wait' } = this.#terms
    if (then === 'wait') throw this.#notEmpty(left, formatDuration(timeout))
    await this.#empty(then)
    const rest = await this.#untilEmpty(grace)
    if (rest.drained) return await this.#sayEmpty(rest)
    throw this.#notEmpty(rest, `${formatDuration(timeout)} and ${then === 'move' ? 'moving' : 'ending'} its sessions`)
  }

  /** Looks until the backend is empty or the time is up, and answers what was seen last. */
  async #untilEmpty(timeout: Milliseconds): Promise<BackendDocument> {
    const { clock, signal } = this.#context
    const end = clock() + timeout
    for (;;) {
      const seen = await this.#look()
      if (seen !== undefined && (seen.drained || clock() >= end)) return seen
      if (seen === undefined && clock() >= end)
        throw new CommandFailure(
          exitCodes.unreachable,
          `what ${this.#title} carries could not be asked; it stays in drain`,
        )
      await delay(Math.max(0, Math.min(this.#terms.interval, end - clock())), undefined, { signal })
    }
  }

  /** Undefined while the node or its store is away. */
  async #look(): Promise<BackendDocument | undefined> {
    const { api, output } = this.#context
    try {
      const seen = await api.backend(this.#name.pool, this.#name.backend)
      if (this.#isLost) output.note('the admin API is back')
      this.#isLost = false
      if (this.#terms.watch) await this.#show(seen)
      return seen
    } catch (error) {
      if (!isPassing(error)) throw error
      if (!this.#isLost) output.note(`${(error as Error).message}; looking again until it is back`)
      this.#isLost = true
      return undefined
    }
  }

  async #show(seen: BackendDocument): Promise<void> {
    const { output, clock } = this.#context
    const text = () => `${timestamp(clock())}  ${this.#title}  ${seen.state}  ${carried(seen)} left\n`
    await output.print(output.format === 'json' ? jsonLine(seen) : text())
  }

  async #empty(then: 'move' | 'end'): Promise<void> {
    const { api, output } = this.#context
    const { pool, backend } = this.#name
    const selection = { pool, from: backend, close: true, reason: 'drain' } as const
    const work = then === 'move' ? api.moveSessions(selection) : api.endSessions(selection)
    let last: BulkProgress | undefined
    for await (const progress of work) last = progress
    if (last === undefined) return
    output.note(`${last.changed} sessions of ${this.#title} were ${then === 'move' ? 'moved' : 'ended'}`)
    this.#noteUnacknowledged(last.unacknowledged)
  }

  async #sayEmpty(seen: BackendDocument): Promise<void> {
    const { output } = this.#context
    if (this.#terms.watch && output.format === 'json') return
    await printDocument(output, seen, () => `${this.#title} is empty\n`)
  }

  #notEmpty(seen: BackendDocument, after: string): CommandFailure {
    const sentence = `${this.#title} is not empty after ${after}: ${carried(seen)}; it stays in drain`
    return new CommandFailure(exitCodes.notInTime, sentence)
  }

  sayThatItStays(): void {
    this.#context.output.note(`${this.#title} stays in drain; sticky-cli backends ready ${this.#title} takes that back`)
  }
}
