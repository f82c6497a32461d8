import type { Machine } from './machine.ts'
import type { Plan } from './plan.ts'
import type { Kind } from './proxies/contender.ts'
import type { Lane, Measure } from './rows/row.ts'

/** A whole run, as `bench/results` keeps it: nothing in a table or chart comes from anywhere else. */
export interface Results {
  /** When it began, RFC 3339. */
  readonly date: string
  readonly minutes: number
  readonly plan: Plan
  readonly machine: Machine
  /** Seconds the hypervisor gave to others during the run, over all cores. */
  readonly stolenSeconds: number
  /** By contender; the bench's own tools too. */
  readonly versions: Readonly<Record<string, string>>
  /** One sentence for each contender that could not run. */
  readonly leftOut: readonly string[]
  /** By contender, as in the last row it ran in; ports differ from row to row. */
  readonly configurations: Readonly<Record<string, string>>
  readonly rows: readonly RowResults[]
}

export interface RowResults {
  readonly id: string
  readonly title: string
  readonly reference: Kind | undefined
  readonly measures: readonly Measure[]
  readonly lanes: readonly Lane[]
}

/** The middle of a measure over the rounds, with the least and the most. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spreadOf({ rounds }: Lane, key: string): Spread {
  const values = rounds.map((round) => round[key]!).sort((a, b) => a - b)
  const middle = values.length / 2
  const median = (values[Math.ceil(middle) - 1]! + values[Math.floor(middle)]!) / 2
  return { median, least: values[0]!, most: values.at(-1)! }
}

/** Every wrong reply of the run, as sentences. */
export function faultsIn(rows: readonly RowResults[]): string[] {
  return rows.flatMap(({ title, lanes }) => lanes.flatMap(({ faults }) => faults.map((fault) => `${title}: ${fault}`)))
}
