import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { Counts } from './pages.ts'
import { loadCore, start } from './processes.ts'

/** One application instance as a proxy's configuration names it. */
export interface Backend {
  readonly id: string
  readonly port: number
}

/** The application behind a row's proxies. */
export interface Backends extends AsyncDisposable {
  readonly list: readonly Backend[]
  /** Counts, once no request has come for a moment. */
  atRest(): Promise<Counts>
}

const program = fileURLToPath(new URL('./application.ts', import.meta.url))

/** Starts one process that listens once for each backend. */
export async function startBackends(
  ids: readonly string[] = ['a', 'b', 'c'],
  core: number | 'any' = loadCore,
): Promise<Backends> {
  const running = start(process.execPath, [program, ...ids], { core, ipc: true })
  const next = async <T>(): Promise<T> => (await once(running.child, 'message'))[0] as T
  const ports = await next<number[]>()
  const counts = () => {
    if (!running.child.connected) throw new Error(`the application ended: ${running.lastWords()}`)
    const counts = next<Counts>()
    running.child.send('counts')
    return counts
  }
  return {
    list: ids.map((id, index) => ({ id, port: ports[index]! })),
    atRest: () => rest(counts),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

async function rest(counts: () => Promise<Counts>): Promise<Counts> {
  for (let before = await counts(); ; ) {
    await delay(50)
    const after = await counts()
    if (after.served === before.served) return after
    before = after
  }
}
