import { faultsIn, type Results, type RowResults, spreadOf } from './results.ts'
import type { Lane, Measure } from './rows/row.ts'
import { type Outcome, outcomes } from './targets.ts'

/** The whole run in Markdown, which a terminal shows as well. */
export function report(results: Results): string {
  const sections = [
    provenance(results),
    ...results.rows.map(section),
    verdicts(outcomes(results.rows)),
    faults(results),
  ]
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`
}

function provenance({ date, minutes, machine, plan, versions, leftOut, stolenSeconds, rows }: Results): string {
  const versionList = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const lines = [
    `${date.slice(0, 10)}, ${plan.name} run of ${minutes.toFixed(0)} minutes on ${machine.cpu}, ${machine.cores} cores, ` +
      `Linux ${machine.kernel}, Node ${machine.node}. Load average before: ${machine.loadBefore}; stolen by the hypervisor: ` +
      `${stolenSeconds.toFixed(1)} s.`,
    `${plan.rounds} rounds of ${plan.seconds} s, ${plan.connections} connections, ${plan.knownSessions} known sessions.${disturbance(rows)}`,
    `${versionList.join(' · ')}.`,
    ...leftOut,
  ]
  return lines.join('\n\n')
}

/** How much of the proxy's core went to somebody else, in the worst round: the figures are as good as this is small. */
function disturbance(rows: readonly RowResults[]): string {
  const shares = rows.flatMap(({ lanes }) =>
    lanes.flatMap(({ rounds }) => rounds.flatMap(({ strangers }) => strangers ?? [])),
  )
  if (shares.length === 0) return ''
  return ` Others on the proxy's core: at most ${(100 * Math.max(...shares)).toFixed(1)} % of any round.`
}

function section(row: RowResults): string {
  const [first, ...others] = row.measures as [Measure, ...Measure[]]
  const shown = others.filter(({ key }) => row.lanes.some((lane) => spreadOf(lane, key).most > 0))
  const compared = row.reference !== undefined && row.lanes.length > 1
  const header = ['', `${first.title} (spread)`, ...(compared ? ['ratio'] : []), ...shown.map(({ title }) => title)]
  const lines = row.lanes.map((lane) => [
    lane.contender,
    withSpread(lane, first),
    ...(compared ? [ratio(lane, referenceFor(lane, row), first)] : []),
    ...shown.map((measure) => spreadOf(lane, measure.key).median.toFixed(measure.digits)),
  ])
  return `### ${row.title}\n\n${table([header, ...lines])}`
}

/** Whom a ratio is of: the row's own reference, or else the other revision of ourselves. */
function referenceFor(lane: Lane, { reference, lanes }: RowResults): Lane {
  return lanes.find(({ kind }) => kind === reference) ?? lanes.findLast(({ kind }) => kind === lane.kind) ?? lane
}

function withSpread(lane: Lane, { key, digits }: Measure): string {
  const { median, least, most } = spreadOf(lane, key)
  return `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`
}

function ratio(lane: Lane, reference: Lane, { key }: Measure): string {
  return `${(spreadOf(lane, key).median / spreadOf(reference, key).median).toFixed(2)}`
}

function verdicts(reached: readonly Outcome[]): string {
  if (reached.length === 0) return ''
  const lines = reached.map(({ says, atMost, measured, met }) => [
    says,
    `at most ${Number(atMost.toFixed(2))}`,
    `${Number(measured.toFixed(2))}`,
    met ? 'met' : 'MISSED',
  ])
  return `### Targets\n\n${table([['', 'target', 'measured', ''], ...lines])}`
}

function faults({ rows }: Results): string {
  const sentences = faultsIn(rows)
  return sentences.length === 0
    ? 'Every reply was right.'
    : `### Wrong replies\n\n${sentences.map((text) => `- ${text}`).join('\n')}`
}

function table([header, ...lines]: readonly (readonly string[])[]): string {
  const widths = header!.map((_, column) => Math.max(...[header!, ...lines].map((cells) => cells[column]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => aligned(cell, widths[column]!, column)).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? `${'-'.repeat(width + 2)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(header!), rule, ...lines.map(line)].join('\n')
}

function aligned(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}
