import { once } from 'node:events'

import type { Config } from '../config/config.ts'
import { FileWatch } from '../config/file-watch.ts'
import { logCrashes } from './crash-log.ts'
import { embedWorker } from './embedded-worker.ts'
import { type LogOutput, openLog } from './log.ts'
import { type Node, openNode } from './node.ts'
import { reloadSignal, stopSignal } from './signals.ts'
import { forkWorkers } from './supervisor.ts'

/** Where a node's configuration comes from. */
export interface ConfigSource {
  readonly file: string
  /** Reads it anew; throws ConfigErrors. */
  read(): Config
}

/**
 * Runs a node as a program: logs on stdout, obeys signals, and resolves when it has drained. Rejects with StartFailure, a
 * sentence for people, when it cannot start.
 */
export async function runNode(config: Config, source: ConfigSource): Promise<void> {
  const output = openLog({ node: config.node.id })
  logCrashes(output)
  const signal = stopSignal(output)
  // The store in memory is one process's own.
  const embedded = config.store.url === 'memory:'
  const reload = reloadSignal(output)
  try {
    const node = await openNode({
      config,
      output,
      signal,
      readConfig: source.read,
      startWorkers: (order, store) => (embedded ? embedWorker(order, store, output) : forkWorkers(order, output.log)),
    })
    reload.onSignal = () => reloaded(node)
    await using watch = configWatch(source.file, node, output)
    await watch.open()
    await untilStopped(node, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function configWatch(file: string, node: Node, { log }: LogOutput): FileWatch {
  return new FileWatch(file, {
    changed: async () => {
      if (node.config.watch) await reloaded(node)
    },
    unwatched: (err) => log.warn({ file, err }, 'configuration not watched'),
  })
}

/** What comes of it is logged. */
async function reloaded(node: Node): Promise<void> {
  await node.reload().catch(() => {})
}

/** Whoever presses Ctrl-C waits for exchanges, but not for balancers that might not have heard. */
async function untilStopped(node: Node, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  await node.drain(signal.reason === 'SIGINT' ? 0 : undefined)
}
