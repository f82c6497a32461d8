import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'

import { stolenSeconds, thisMachine } from './machine.ts'
import type { Plan } from './plan.ts'
import type { Contender } from './proxies/contender.ts'
import type { Results, RowResults } from './results.ts'
import type { Row } from './rows/row.ts'

/** What is to be run. */
export interface Order {
  readonly plan: Plan
  readonly rows: readonly Row[]
  readonly contenders: readonly Contender[]
  /** Versions of the bench's own tools. */
  readonly tools: Readonly<Record<string, string>>
  /** Empty, and removed afterwards. */
  readonly folder: string
  say(progress: string): void
}

/** Runs one row after the other with whoever is installed. */
export async function run(order: Order): Promise<Results> {
  const machine = thisMachine()
  const began = new Date()
  const stolenBefore = stolenSeconds()
  const versions = new Map(order.contenders.map((contender) => [contender, contender.version()]))
  const installed = order.contenders.filter((contender) => versions.get(contender) !== undefined)
  const configurations: Record<string, string> = {}
  const rows: RowResults[] = []
  for (const row of order.rows) rows.push(await runRow(row, installed, configurations, order))
  return {
    date: began.toISOString(),
    minutes: (Date.now() - began.getTime()) / 60_000,
    plan: order.plan,
    machine,
    stolenSeconds: stolenSeconds() - stolenBefore,
    versions: { ...programs(versions), ...order.tools },
    leftOut: order.contenders.flatMap((contender) => absence(contender, versions.get(contender))),
    configurations,
    rows,
  }
}

async function runRow(
  row: Row,
  installed: readonly Contender[],
  configurations: Record<string, string>,
  { plan, folder, say }: Order,
): Promise<RowResults> {
  const lanes = await row.run({
    contenders: installed.filter(({ kind }) => row.kinds.includes(kind)),
    plan,
    folder: mkdtempSync(join(folder, `${row.id}-`)),
    noteConfiguration: (contender, text) => {
      // Where this run kept its files says nothing to a reader of its results.
      configurations[contender.name] = text.replaceAll(`${folder}/`, 'FOLDER/')
    },
    say: (progress) => say(`${row.title}: ${progress}`),
  })
  return { id: row.id, title: row.title, reference: row.reference, measures: row.measures, lanes }
}

function programs(versions: ReadonlyMap<Contender, string | undefined>): Record<string, string> {
  const known = Array.from(versions, ([{ program }, version]) => [program, version ?? ''] as const)
  return Object.fromEntries(known.filter(([, version]) => version !== ''))
}

function absence({ name, program }: Contender, version: string | undefined): string[] {
  return version === undefined ? [`${name} is left out: ${program} does not run here.`] : []
}
