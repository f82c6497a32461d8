import { type Results, type RowResults, spreadOf } from './results.ts'
import type { Lane } from './rows/row.ts'

const width = 860
const labelWidth = 300
const barWidth = 440
const lineHeight = 22
const titleHeight = 44
const ours = '#c2410c'
const theirs = '#64748b'

/** One picture of the run: a panel for each row, a bar for each contender, a whisker for the spread. Less is better. */
export function chart({ rows, date, machine }: Results): string {
  const panels: string[] = []
  let y = 40
  for (const row of rows) {
    panels.push(panel(row, y))
    y += titleHeight + row.lanes.length * lineHeight
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 16}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="26" font-size="12" fill="#475569">${escaped(`${date.slice(0, 10)} · ${machine.cpu}, ${machine.cores} cores · shorter is better`)}</text>
${panels.join('\n')}
</svg>
`
}

function panel({ title, measures, lanes }: RowResults, top: number): string {
  const { key, digits, title: unit } = measures[0]!
  const longest = Math.max(...lanes.map((lane) => spreadOf(lane, key).most)) || 1
  const bars = lanes.map((lane, index) =>
    bar(lane, key, digits, barWidth / longest, top + titleHeight + index * lineHeight),
  )
  const heading = `<text x="16" y="${top + 26}" font-weight="600">${escaped(`${title}: ${unit}`)}</text>`
  return [heading, ...bars].join('\n')
}

function bar(lane: Lane, key: string, digits: number, scale: number, top: number): string {
  const { median, least, most } = spreadOf(lane, key)
  const at = (value: number) => (labelWidth + value * scale).toFixed(1)
  const middle = top + 8
  const color = lane.kind.startsWith('sticky') ? ours : theirs
  return `<text x="${labelWidth - 8}" y="${top + 12}" text-anchor="end">${escaped(lane.contender)}</text>
<rect x="${labelWidth}" y="${top}" width="${(median * scale).toFixed(1)}" height="16" fill="${color}"/>
<path d="M${at(least)} ${middle}H${at(most)}M${at(least)} ${middle - 3}v6M${at(most)} ${middle - 3}v6" stroke="#0f172a" fill="none"/>
<text x="${Number(at(most)) + 8}" y="${top + 12}">${median.toFixed(digits)}</text>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
