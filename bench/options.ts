import { parseArgs } from 'node:util'

import { full, type Plan, quick } from './plan.ts'
import { type Kind, kinds } from './proxies/contender.ts'
import type { Row } from './rows/row.ts'
import { rows } from './rows/rows.ts'

/** What a command line asks for. */
export interface Options {
  readonly plan: Plan
  readonly rows: readonly Row[]
  readonly kinds: readonly Kind[] | undefined
  /** A revision of ourselves to run beside this one instead of the peers. */
  readonly against: string | undefined
  /** Everything, at length: only such a run's figures are worth quoting. */
  readonly whole: boolean
}

export const usage: string = `usage: pnpm bench [--quick] [--only ROW,…] [--proxies KIND,…] [--against REVISION]
rows: ${rows.map(({ id }) => id).join(' ')}
kinds: ${kinds.join(' ')}`

/** Reads a command line; a string is what is wrong with it. */
export function parseOptions(args: readonly string[]): Options | string {
  const given = valuesIn(args)
  if (typeof given === 'string') return given
  const ids = given.only?.split(',')
  const proxies = given.proxies?.split(',')
  const stranger =
    ids?.find((id) => !rows.some((row) => row.id === id)) ?? proxies?.find((kind) => !kinds.includes(kind as Kind))
  if (stranger !== undefined) return `there is no "${stranger}"`
  return {
    plan: given.quick ? quick : full,
    rows: rows.filter(({ id }) => ids?.includes(id) ?? true),
    kinds: proxies as Kind[] | undefined,
    against: given.against,
    whole: !(given.quick || ids || proxies || given.against),
  }
}

function valuesIn(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = { quick: { type: 'boolean' }, only: text, proxies: text, against: text } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    return (error as Error).message
  }
}
