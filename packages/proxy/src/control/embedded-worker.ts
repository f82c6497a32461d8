import type { Store } from '@sticky/store'

import type { DataPlane, WorkerOrder } from './data-plane.ts'
import type { LogOutput } from './log.ts'
import { openWorker } from './worker.ts'

/** Serves in the node's own process: for the store in memory, which no other process sees, and for programs that embed a node. */
export async function embedWorker(order: WorkerOrder, store: Store, output: LogOutput): Promise<DataPlane> {
  const worker = await openWorker(order, store, output)
  return {
    addresses: worker.addresses,
    serving: 1,
    restarts: 0,
    reports: async () => [worker.report()],
    rekey: (keyring) => worker.rekey(keyring),
    place: (standings) => worker.place(standings),
    drain: (within) => worker.drain(within),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  }
}
