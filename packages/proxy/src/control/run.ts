import { once } from 'node:events'

import type { Config } from '../config/config.ts'
import { logCrashes } from './crash-log.ts'
import { embedWorker } from './embedded-worker.ts'
import { openLog } from './log.ts'
import { type Node, openNode } from './node.ts'
import { stopSignal } from './signals.ts'
import { forkWorkers } from './supervisor.ts'

/**
 * Runs a node as a program: logs on stdout, obeys signals, and resolves when it has drained. Rejects with StartFailure, a
 * sentence for people, when it cannot start.
 */
export async function runNode(config: Config): Promise<void> {
  const output = openLog({ node: config.node.id })
  logCrashes(output)
  const signal = stopSignal(output)
  // The store in memory is one process's own.
  const embedded = config.store.url === 'memory:'
  try {
    const node = await openNode({
      config,
      output,
      signal,
      startWorkers: (order, store) => (embedded ? embedWorker(order, store, output) : forkWorkers(order, output.log)),
    })
    await untilStopped(node, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function untilStopped(node: Node, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  await node.drain()
}
