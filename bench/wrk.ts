import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import type { Path } from './pages.ts'
import { loadCore, type Running, start } from './processes.ts'

/** What wrk is to ask for: connections are spread evenly over the nodes' ports. */
export interface Load {
  readonly ports: readonly number[]
  readonly path: Path
  /** A file of Cookie header values to rotate; undefined: every request begins a session. */
  readonly cookies: string | undefined
  readonly connections: number
  readonly seconds: number
}

/** What wrk saw; latencies in milliseconds. */
export interface LoadFigures {
  readonly requests: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  readonly errors: Readonly<Record<'connect' | 'read' | 'write' | 'status' | 'timeout', number>>
}

/** A load under way; `stop` ends it early, `figures` comes either way. */
export interface RunningLoad {
  readonly figures: Promise<LoadFigures>
  stop(): void
}

const script = fileURLToPath(new URL('./lua/load.lua', import.meta.url))

/** Starts wrk on the load core. */
export function startLoad(load: Load): RunningLoad {
  const wrk = start('wrk', argumentsFor(load), {
    core: loadCore,
    env: { STICKY_BENCH_PORTS: load.ports.join(','), STICKY_BENCH_COOKIES: load.cookies ?? '' },
  })
  return { figures: figuresOf(wrk), stop: () => wrk.child.kill('SIGINT') }
}

/** Runs a load nobody measures; throws when not every reply was right. */
export async function warmUp(load: Load): Promise<void> {
  const wrong = complaints(await startLoad(load).figures)
  if (wrong.length > 0) throw new Error(`while warming up port ${load.ports[0]}: ${wrong.join(', ')}`)
}

function argumentsFor({ ports, path, connections, seconds }: Load): string[] {
  const url = `http://127.0.0.1:${ports[0]}${path}`
  return ['-t', `${ports.length}`, '-c', `${connections}`, '-d', `${seconds}s`, '--timeout', '10s', '-s', script, url]
}

async function figuresOf(wrk: Running): Promise<LoadFigures> {
  await once(wrk.child, 'close')
  const line = wrk.lastWords().split('\n').at(-1) ?? ''
  if (!line.startsWith('{')) throw new Error(`wrk told no figures: ${wrk.lastWords()}`)
  return JSON.parse(line) as LoadFigures
}

/** Every kind of reply wrk did not like, as words; empty when all were right. */
export function complaints({ errors }: LoadFigures): string[] {
  return Object.entries(errors).flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind} errors`] : []))
}
