import type { Row } from './row.ts'
import { inWords } from './times.ts'
import type { Outcome } from './trial.ts'

/** A row that was run. */
export interface Run {
  readonly row: Pick<Row, 'number' | 'name'>
  readonly outcome: Outcome
}

const header = ['row', 'failure', 'requests', 'errors', 'moved', 'p50/p99 before', 'p50/p99 during', 'recovery', 'pass']

/** Every run as a row of a Markdown table, which a terminal shows as well; and what was noted of each below it. */
export function table(runs: readonly Run[]): string {
  const lines = runs.map(cells)
  const widths = header.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]!.length)))
  const print = (line: readonly string[]) => `| ${line.map((cell, n) => cell.padEnd(widths[n]!)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [print(header), rule, ...lines.map(print), ...notes(runs)].join('\n')
}

function cells({ row, outcome }: Run): string[] {
  const { requests, faults, moved, before, during, recovery, failures } = outcome
  return [
    `${row.number || ''}`,
    row.name,
    `${requests}`,
    `${faults}`,
    `${moved}`,
    inWords(before),
    inWords(during),
    recovery === undefined ? '' : `${(recovery / 1000).toFixed(1)} s`,
    failures.length === 0 ? 'yes' : 'NO',
  ]
}

function notes(runs: readonly Run[]): string[] {
  const told = runs.flatMap(({ row, outcome }) => {
    const sentences = [...outcome.failures.map((failure) => `NOT: ${failure}`), ...outcome.notes]
    return sentences.map((sentence) => `- ${row.number || row.name}: ${sentence}`)
  })
  return told.length === 0 ? [] : ['', ...told]
}
