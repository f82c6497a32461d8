import type { Store } from '@sticky/store'

import type { DataPlane, WorkerOrder } from './data-plane.ts'
import type { LogOutput } from './log.ts'
import { StartFailure, startFailure } from './start-failure.ts'
import { openWorker } from './worker.ts'

/** Serves in the node's own process: for the store in memory, which no other process sees, and for programs that embed a node. */
export async function embedWorker(order: WorkerOrder, store: Store, output: LogOutput): Promise<DataPlane> {
  const worker = await openWorker(order, store, output)
  return {
    get addresses() {
      return worker.addresses
    },
    serving: 1,
    restarts: 0,
    reports: async () => [worker.report()],
    rekey: (keyring) => worker.rekey(keyring),
    secure: (secrets) => worker.secure(secrets),
    place: (standings) => worker.place(standings),
    reach: (barrier) => worker.reach(barrier),
    async adopt(config) {
      const prepared = await worker.prepare(config).catch((error: unknown) => {
        throw startFailure(error)
      })
      prepared.adopt()
    },
    async restart() {
      throw new StartFailure('this node serves from its one process, which cannot be replaced while it runs')
    },
    drain: (terms) => worker.drain(terms),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  }
}
