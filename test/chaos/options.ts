import { parseArgs } from 'node:util'

import type { Row } from './row.ts'
import { rows } from './rows.ts'
import { type Form, long, short } from './trial.ts'

/** What a command line asks for. */
export interface Options {
  readonly form: Form
  readonly rows: readonly Row[]
  /** Ten minutes of load with a fault now and then, after the rows. */
  readonly soaks: boolean
  /** Write docs/reliability-report.md. */
  readonly reports: boolean
}

export const usage = `usage: pnpm chaos [--row N,…] [--short | --long] [--report]

  --short    each fault once, for some seconds; without rows that need minutes (default)
  --long     30 s each, every row, and a soak of 10 minutes
  --row      only these rows of the matrix
  --report   write docs/reliability-report.md; a whole long run does so by itself`

/** Reads a command line; a string is what is wrong with it. */
export function parseOptions(args: readonly string[]): Options | string {
  const given = valuesIn(args)
  if (typeof given === 'string') return given
  if (given.short && given.long) return 'either --short or --long'
  const numbers = given.row?.split(',')
  const stranger = numbers?.find((number) => !rows.some((row) => `${row.number}` === number))
  if (stranger !== undefined) return `there is no row ${stranger}`
  const chosen = rows.filter((row) => numbers?.includes(`${row.number}`) ?? (given.long || !row.isLong))
  const isWhole = given.long === true && numbers === undefined
  return { form: given.long ? long : short, rows: chosen, soaks: isWhole, reports: isWhole || given.report === true }
}

function valuesIn(args: readonly string[]) {
  const flag = { type: 'boolean' } as const
  const options = { row: { type: 'string' }, short: flag, long: flag, report: flag } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    return (error as Error).message
  }
}
