import { setTimeout as delay } from 'node:timers/promises'

import type { Acknowledged, BackendDocument } from '@sticky/proxy/admin-api'

import { type BackendName, carried, describe } from './backends.ts'
import type { CommandContext } from './command-context.ts'
import { CommandFailure, demandAcknowledged, exitCodes, isPassing, notInForceOn } from './failures.ts'
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

/** What is in flight, or comes back, when the sessions have been moved or ended has so long to end. */
const grace: Milliseconds = 5_000

/** `sticky-cli backends drain`: no newcomers from when this has been said; then waits, as it is told, until the backend is empty. */
export async function drainBackend(context: CommandContext, name: BackendName, terms: DrainTerms): Promise<void> {
  if (terms.then !== undefined && terms.timeout === undefined)
    throw new CommandFailure(exitCodes.usage, 'drain --then needs --timeout')
  const drain = new Drain(context, name, terms)
  try {
    await drain.begin()
    if (terms.timeout !== undefined || terms.watch === true) await drain.wait()
  } catch (error) {
    if (context.signal.aborted) drain.sayWhatStays()
    throw error
  }
}

class Drain {
  readonly #context: CommandContext
  readonly #name: BackendName
  readonly #terms: DrainTerms
  /** Nodes that were told of. */
  readonly #named = new Set<string>()
  #hasBegun = false
  #isLost = false
  /** How many sessions were moved or ended. */
  #cleared = 0

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
    this.#hasBegun = true
    if (!changed.keepsSessions)
      output.note(
        `sessions of pool ${pool} are in no table: only exchanges are waited for, and none can be moved or ended`,
      )
    if (this.#waits) this.#noteUnacknowledged(changed)
    else await printDocument(output, changed, () => `${this.#title} takes no newcomers: ${describe(changed)}\n`)
    if (!this.#waits) demandAcknowledged(`${this.#title} is set to drain`, changed)
  }

  get #waits(): boolean {
    return this.#terms.timeout !== undefined || this.#terms.watch === true
  }

  #noteUnacknowledged({ unacknowledged }: Acknowledged): void {
    const unnamed = unacknowledged.filter((node) => !this.#named.has(node))
    for (const node of unnamed) this.#named.add(node)
    if (unnamed.length > 0) this.#context.output.note(notInForceOn(unnamed))
  }

  async wait(): Promise<void> {
    const { timeout = Number.POSITIVE_INFINITY, then = 'wait' } = this.#terms
    const left = await this.#untilEmpty(timeout)
    if (left.drained) return await this.#sayEmpty(left)
    if (then === 'wait') throw this.#notEmpty(left, formatDuration(timeout))
    await this.#clear(then)
    // An answer that was under way may have begun a session there, and a pass that broke off has left some.
    const rest = await this.#untilEmpty(grace, () => this.#clear(then))
    this.#context.output.note(`${this.#cleared} sessions of ${this.#title} were ${then === 'move' ? 'moved' : 'ended'}`)
    if (rest.drained) return await this.#sayEmpty(rest)
    throw this.#notEmpty(rest, `${formatDuration(timeout)} and ${then === 'move' ? 'moving' : 'ending'} its sessions`)
  }

  /** Looks until the backend is empty or the time is up, and answers what was seen last; what is left meanwhile is cleared. */
  async #untilEmpty(timeout: Milliseconds, clear?: () => Promise<void>): Promise<BackendDocument> {
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
      if (seen?.sessions) await clear?.()
      await delay(Math.max(0, Math.min(this.#terms.interval, end - clock())), undefined, { signal })
    }
  }

  /** Undefined while the node or its store is away. */
  async #look(): Promise<BackendDocument | undefined> {
    const { pool, backend } = this.#name
    const seen = await this.#unlessLost(() => this.#context.api.backend(pool, backend))
    if (seen !== undefined && this.#terms.watch) await this.#show(seen)
    if (seen?.wanted === 'ready')
      throw new CommandFailure(exitCodes.failed, `${this.#title} was set to ready meanwhile, which ends its drain`)
    return seen
  }

  /** Undefined while the node or its store is away, which is said once. */
  async #unlessLost<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
    const { output } = this.#context
    try {
      const answer = await ask()
      if (this.#isLost) output.note('the admin API is back')
      this.#isLost = false
      return answer
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

  /** Moves or ends the sessions that are there now. */
  async #clear(then: 'move' | 'end'): Promise<void> {
    const { api } = this.#context
    const { pool, backend } = this.#name
    const selection = { pool, from: backend, close: true, reason: 'drain' } as const
    const before = this.#cleared
    await this.#unlessLost(async () => {
      for await (const progress of then === 'move' ? api.moveSessions(selection) : api.endSessions(selection)) {
        this.#cleared = before + progress.changed
        this.#noteUnacknowledged(progress)
      }
    })
  }

  async #sayEmpty(seen: BackendDocument): Promise<void> {
    const { output } = this.#context
    const isShown = this.#terms.watch && output.format === 'json'
    if (!isShown) await printDocument(output, seen, () => `${this.#title} is empty\n`)
    if (this.#named.size > 0) demandAcknowledged(`${this.#title} is empty`, await this.#sayAgain(seen))
  }

  /** Whoever did not obey at first may do so by now. */
  #sayAgain({ wanted }: BackendDocument): Promise<Acknowledged> {
    return this.#context.api.changeBackend(this.#name.pool, this.#name.backend, { state: wanted })
  }

  #notEmpty(seen: BackendDocument, after: string): CommandFailure {
    const sentence = `${this.#title} is not empty after ${after}: ${carried(seen)}; it stays in drain`
    return new CommandFailure(exitCodes.notInTime, sentence)
  }

  /** To whoever interrupts. */
  sayWhatStays(): void {
    const takesBack = `sticky-cli backends ready ${this.#title} takes that back`
    this.#context.output.note(
      this.#hasBegun
        ? `${this.#title} stays in drain; ${takesBack}`
        : `${this.#title} may be in drain by now; ${takesBack}`,
    )
  }
}
