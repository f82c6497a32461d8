import { once } from 'node:events'

import type { Config } from '../config/config.ts'
import { FileWatch } from '../config/file-watch.ts'
import { logCrashes } from './crash-log.ts'
import { embedWorker } from './embedded-worker.ts'
import { openLog } from './log.ts'
import { type Node, openNode } from './node.ts'
import { onReloadSignal, stopSignal } from './signals.ts'
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
  try {
    const opening = openNode({
      config,
      output,
      signal,
      readConfig: source.read,
      startWorkers: (order, store) => (embedded ? embedWorker(order, store, output) : forkWorkers(order, output.log)),
    })
    // What is asked for while the node starts is done when it serves: it has read its file before.
    const reload = async (isWanted: (node: Node) => boolean): Promise<void> => {
      const node = await opening.catch(() => undefined)
      if (node !== undefined && isWanted(node)) await node.reload().catch(() => {}) // What comes of it is logged.
    }
    onReloadSignal(() => void reload(() => true))
    await using watch = new FileWatch(source.file, () => reload((node) => node.config.watch))
    await Promise.all([opening, watch.open()])
    await untilStopped(await opening, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** Whoever presses Ctrl-C waits for exchanges, but not for balancers that might not have heard. */
async function untilStopped(node: Node, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  await node.drain(signal.reason === 'SIGINT' ? 0 : undefined)
}
