import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { chart } from './chart.ts'
import { nameOf } from './machine.ts'
import { report } from './report.ts'
import type { Results } from './results.ts'

const folder = new URL('./results/', import.meta.url)
const readme = new URL('./README.md', import.meta.url)
const figures = /(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)/s

/** Writes the raw rounds and a chart, and answers where; a trial's are named so that git ignores them. */
export function keep(results: Results, standing: 'figures' | 'trial'): string {
  const name = `${standing === 'trial' ? 'trial-' : ''}${results.date.slice(0, 10)}-${nameOf(results.machine)}`
  const json = new URL(`${name}.json`, folder)
  mkdirSync(folder, { recursive: true })
  writeFileSync(json, `${JSON.stringify(results, undefined, 1)}\n`)
  writeFileSync(new URL(`${name}.svg`, folder), chart(results))
  if (standing === 'figures') quote(results, name)
  return fileURLToPath(json)
}

/** The latest whole run is what the README quotes, so that no figure in it is typed by hand. */
function quote(results: Results, name: string): void {
  const links = `![The same as a chart](results/${name}.svg)\n\nRaw rounds and configurations: [results/${name}.json](results/${name}.json).`
  const text = readFileSync(readme, 'utf8')
  writeFileSync(
    readme,
    text.replace(figures, () => `\n${report(results)}\n${links}\n\n`),
  )
}
