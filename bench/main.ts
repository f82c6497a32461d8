import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { besideOurselves, besidePeers } from './catalogue.ts'
import { checkOut, here } from './checkouts.ts'
import { keep } from './keep.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { loadCore } from './processes.ts'
import { versionOf } from './proxies/installed.ts'
import { report } from './report.ts'
import { faultsIn } from './results.ts'
import { run } from './run.ts'

process.exitCode = await main()

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (typeof options === 'string') return complain(`${options}\n${usage}`)
  const tools = {
    wrk: versionOf('wrk', '-v'),
    redis: versionOf('redis-server', '--version'),
    taskset: versionOf('taskset', '-V'),
  }
  const missing = Object.entries(tools).flatMap(([name, version]) => (version === undefined ? [name] : []))
  if (missing.length > 0) return complain(`the bench needs ${missing.join(', ')} on a Linux with two cores`)
  return await bench(options, tools as Record<string, string>)
}

function complain(sentence: string): number {
  process.stderr.write(`${sentence}\n`)
  return 2
}

async function bench(options: Options, tools: Readonly<Record<string, string>>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'sticky-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
  execFileSync('taskset', ['-acp', String(loadCore), String(process.pid)])

  using other = options.against === undefined ? undefined : checkOut(options.against, folder)
  const contenders = other ? besideOurselves([here, other]) : besidePeers(here)
  const chosen = contenders.filter(({ kind }) => options.kinds?.includes(kind) ?? true)
  const results = await run({ plan: options.plan, rows: options.rows, contenders: chosen, tools, folder, say })

  process.stdout.write(`${report(results)}\nRaw rounds: ${keep(results, options.whole ? 'figures' : 'trial')}\n`)
  return faultsIn(results.rows).length === 0 ? 0 : 1
}

function say(progress: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${progress}\n`)
}
