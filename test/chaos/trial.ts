import { setTimeout as delay } from 'node:timers/promises'

import { eventually } from '../support/eventually.ts'
import type { Visit } from './client.ts'
import { type Death, wasCutBy } from './death.ts'
import type { Load } from './load.ts'
import { type Spread, spread } from './times.ts'

/** How long everything stands. */
export interface Form {
  readonly name: 'short' | 'long'
  /** Milliseconds of load before the fault, while it stands, and after it. */
  readonly before: number
  readonly during: number
  readonly after: number
  /** How many times longer than a row says something may take. */
  readonly patience: number
}

/** Each fault once, for the tests: what machines that are busy with others would get wrong, which is times, is not asked. */
export const short: Form = { name: 'short', before: 1_500, during: 3_000, after: 1_500, patience: 5 }

/** What the report is made of. */
export const long: Form = { name: 'long', before: 10_000, during: 30_000, after: 10_000, patience: 1 }

/** What came of a row. */
export interface Outcome {
  readonly requests: number
  readonly faults: number
  readonly moved: number
  readonly before: Spread | undefined
  readonly during: Spread | undefined
  /** Milliseconds until everything was as before. */
  readonly recovery: number | undefined
  /** What was noted, and one sentence for each expectation that was not met. */
  readonly notes: readonly string[]
  readonly failures: readonly string[]
}

/** One run of one row: its load, when its fault stood, and what was expected of it. */
export class Trial implements AsyncDisposable {
  readonly form: Form
  readonly stack: AsyncDisposableStack = new AsyncDisposableStack()
  readonly #failures: string[] = []
  readonly #notes: string[] = []
  readonly #loads: Load[] = []
  #besides = 0
  #faultAt: number | undefined
  #faultDone: number | undefined
  #healedAt: number | undefined
  #recovery: number | undefined

  constructor(form: Form) {
    this.form = form
  }

  get isLong(): boolean {
    return this.form.name === 'long'
  }

  /** When the fault began. */
  get faultAt(): number {
    if (this.#faultAt === undefined) throw new Error('the fault has not begun')
    return this.#faultAt
  }

  /** Puts the trial under this load for some time before its fault. */
  async under(load: Load): Promise<void> {
    this.#loads.push(this.stack.use(load))
    await load.settled()
    await delay(this.form.before)
  }

  /** Does what goes wrong, and marks when. */
  async fault(does: () => void | Promise<void>): Promise<void> {
    this.#faultAt = performance.now()
    await does()
    this.#faultDone = performance.now()
  }

  /** Lets the fault stand as long as the form says. */
  async stands(): Promise<void> {
    await delay(this.form.during)
  }

  /** Ends the fault, and marks when. */
  async heal(does: () => void | Promise<void>): Promise<void> {
    await does()
    this.#healedAt = performance.now()
  }

  /** Lets the load go on for a while, and ends it. */
  async calm(): Promise<void> {
    await delay(this.form.after)
    await Promise.all(this.#loads.map((load) => load.stop()))
  }

  /** Asks until the answer satisfies, which is when all is as before: so long after the fault or its end at most. */
  async recovers<T>(
    what: string,
    ask: () => T | Promise<T>,
    satisfies: (answer: T) => boolean,
    within: number,
  ): Promise<void> {
    const since = this.#healedAt ?? this.faultAt
    await this.#asks(what, ask, satisfies, since + within * this.form.patience)
    this.#recovery = Math.max(this.#recovery ?? 0, performance.now() - since)
  }

  /** The same from now on, for what is not the end of the fault. */
  async within<T>(
    what: string,
    ask: () => T | Promise<T>,
    satisfies: (answer: T) => boolean,
    within: number,
  ): Promise<void> {
    await this.#asks(what, ask, satisfies, performance.now() + within * this.form.patience)
  }

  async #asks<T>(
    what: string,
    ask: () => T | Promise<T>,
    satisfies: (answer: T) => boolean,
    until: number,
  ): Promise<void> {
    // Who cannot answer yet has not the answer that is waited for.
    const asked = async () => {
      try {
        return { answer: await ask() }
      } catch (error) {
        return { error: (error as Error).message }
      }
    }
    try {
      await eventually(
        asked,
        (reply) => 'answer' in reply && satisfies(reply.answer),
        Math.max(until - performance.now(), 0),
      )
    } catch (error) {
      this.#failures.push(`${what}: ${(error as Error).message}`)
    }
  }

  /** A sentence that must hold; `detail` says what held instead. */
  expect(sentence: string, holds: boolean, detail: unknown = ''): void {
    if (!holds) this.#failures.push(`${sentence}: ${typeof detail === 'string' ? detail : JSON.stringify(detail)}`)
  }

  /** A sentence about time, which must hold in the long form alone. */
  expectInTime(sentence: string, holds: boolean, detail: unknown = ''): void {
    if (this.isLong) this.expect(sentence, holds, detail)
    else if (!holds) this.note(`${sentence}: ${JSON.stringify(detail)}`)
  }

  /** Requests that failed must be of those that are excused. */
  expectServed(excuse: (visit: Visit) => boolean = () => false): void {
    const faults = this.#faults().filter((visit) => !excuse(visit))
    this.expect('every request is served', faults.length === 0, this.#told(faults))
  }

  /** Sessions that moved must be of those that are excused. */
  expectAtHome(excuse: (visit: Visit) => boolean = () => false): void {
    const moved = this.#moved().filter((visit) => !excuse(visit))
    this.expect('every session stays at home', moved.length === 0, this.#told(moved))
  }

  /** Was that request under way when the fault began, and got no answer? */
  wasCut(visit: Visit): boolean {
    const death: Death = { from: this.faultAt, to: this.#faultDone ?? Number.POSITIVE_INFINITY }
    return wasCutBy(death, visit)
  }

  /** So many requests beside the load's were sent and looked at. */
  asked(requests: number): void {
    this.#besides += requests
  }

  /** Something worth telling in the table. */
  note(sentence: string): void {
    this.#notes.push(sentence)
  }

  /** Visits of the last part of the time before the fault, for nodes that have just started are slow. */
  before(): Visit[] {
    const start = this.faultAt - this.form.before / 2
    return this.#visits().filter(({ began, ended }) => began > start && ended < this.faultAt)
  }

  /** Visits of the fault's first second, which has limits of its own. */
  firstSecond(): Visit[] {
    return this.#begunWithin(this.faultAt, this.faultAt + 1_000)
  }

  /** Visits from then on, while the fault stood. */
  during(): Visit[] {
    return this.#begunWithin(this.faultAt + 1_000, this.#healedAt ?? Number.POSITIVE_INFINITY)
  }

  outcome(): Outcome {
    return {
      requests: this.#visits().length + this.#besides,
      faults: this.#faults().length,
      moved: this.#moved().length,
      before: this.#faultAt === undefined ? undefined : spread(this.before()),
      during: this.#faultAt === undefined ? undefined : spread(this.during()),
      recovery: this.#recovery,
      notes: this.#notes,
      failures: this.#failures,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync()
  }

  #visits(): Visit[] {
    return this.#loads.flatMap(({ visits }) => visits)
  }

  #begunWithin(from: number, to: number): Visit[] {
    return this.#visits().filter(({ began }) => began > from && began < to)
  }

  #faults(): Visit[] {
    return this.#loads.flatMap(({ faults }) => faults)
  }

  #moved(): Visit[] {
    return this.#loads.flatMap(({ moved }) => moved)
  }

  #told(visits: readonly Visit[]): string {
    const since = this.#faultAt ?? 0
    const told = visits.slice(0, 5).map(({ began, home, app, node, fault }) => {
      return `${((began - since) / 1000).toFixed(2)} s after the fault, node ${node + 1}, home ${home}: ${fault ?? `answered by ${app}`}`
    })
    return `${visits.length}, such as ${told.join('; ')}`
  }
}
