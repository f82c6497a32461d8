import type { Plan } from '../plan.ts'
import type { Contender, Kind } from '../proxies/contender.ts'

/** One question the bench asks of several contenders. */
export interface Row {
  readonly id: string
  readonly title: string
  readonly kinds: readonly Kind[]
  /** Whose first measure the table's ratios are of. */
  readonly reference?: Kind
  /** What each round measures; the first is what the row is about. */
  readonly measures: readonly Measure[]
  run(stage: Stage): Promise<Lane[]>
}

export interface Measure {
  readonly key: string
  readonly title: string
  readonly digits: number
}

/** What a row needs to run. */
export interface Stage {
  /** Those of the row's kinds that are installed. */
  readonly contenders: readonly Contender[]
  readonly plan: Plan
  /** Empty, and removed afterwards. */
  readonly folder: string
  /** Keeps what a contender runs with for the record. */
  noteConfiguration(contender: Contender, text: string): void
  /** Tells a person how far the row is. */
  say(progress: string): void
}

/** Raw figures of one round, by the keys of the row's measures and more. */
export type Round = Readonly<Record<string, number>>

/** All that was measured of one contender in one row. */
export interface Lane {
  readonly contender: string
  readonly kind: Kind
  readonly rounds: readonly Round[]
  /** One sentence for everything that was wrong: a single one fails the bench. */
  readonly faults: readonly string[]
}
