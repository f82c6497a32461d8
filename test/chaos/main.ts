/** `pnpm chaos`: the failure matrix as a program. */
import { parseOptions, usage } from './options.ts'
import { writeReport } from './report.ts'
import { runRow } from './row.ts'
import { soak } from './soak.ts'
import { type Run, table } from './table.ts'

process.exitCode = await main()

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${usage}\n`)
    return 2
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const runs: Run[] = []
  for (const row of options.rows) {
    say(`row ${row.number}, ${row.name}: ${row.does}`)
    runs.push({ row, outcome: await runRow(row, options.form) })
  }
  if (options.soaks) {
    say(`${soak.name}: ${soak.does}`)
    runs.push({ row: soak, outcome: await runRow(soak, options.form) })
  }
  process.stdout.write(`${table(runs)}\n`)
  if (options.reports) say(`written: ${writeReport(options.form, runs)}`)
  return runs.every(({ outcome }) => outcome.failures.length === 0) ? 0 : 1
}

function say(progress: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${progress}\n`)
}
