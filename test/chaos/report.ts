import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { fileURLToPath } from 'node:url'

import { rows } from './rows.ts'
import { type Run, table } from './table.ts'
import type { Form } from './trial.ts'

const place = 'docs/reliability-report.md'
const root = new URL('../../', import.meta.url)

/** Writes what came of a run for everybody to read; answers where. */
export function writeReport(form: Form, runs: readonly Run[]): string {
  writeFileSync(new URL(place, root), page(form, runs))
  return fileURLToPath(new URL(place, root)).slice(fileURLToPath(root).length)
}

function page(form: Form, runs: readonly Run[]): string {
  const processors = cpus()
  return `# Reliability report

What \`pnpm chaos --${form.name}\` found on ${new Date().toISOString().slice(0, 10)}, on a machine with ${processors.length} × ${processors[0]?.model.trim()},
Linux ${release()}, Node ${process.versions.node}, Redis ${redisVersion()}, Sticky ${ownVersion()}.

Every row stands alone: nodes and applications as processes, a Redis of its own, and 50 clients with 200 requests a second in all over
every node in turn, beside five newcomers a second. A client checks status, backend and its own counter on every answer. It asks
another node only when its connection is refused. An *error* is any other answer or none; *moved* is a session that another
backend answered than the one before. Faults stand ${form.during / 1000} s unless the row says otherwise; the times *during* leave out the first second,
*recovery* is how long after the fault (or its end, where it ends) all was as before.

Clients, nodes, applications and Redis share the machine's processors, so what is usual is measured in each row anew: *before* is the
last ${form.before / 2000} s before the fault. ${limits(form)}

${table(runs)}

## The rows

| row | what is done | it passes with |
|---|---|---|
${rows.map(({ number, does, passes }) => `| ${number} | ${does} | ${passes} |`).join('\n')}
`
}

function limits({ name }: Form): string {
  if (name === 'short') return 'No limit is set to times here, for that takes more requests than some seconds bring.'
  return 'A p99 of less than 5 ms passes in any case: of so many processes on so few processors one in a hundred waits that long for its turn.'
}

function redisVersion(): string {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  return /v=(\S+)/.exec(stdout ?? '')?.[1] ?? 'unknown'
}

function ownVersion(): string {
  return (JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string }).version
}
