import type { Store } from '@sticky/store'

import type { Config } from './config/config.ts'
import { embedWorker } from './control/embedded-worker.ts'
import { openLog } from './control/log.ts'
import { type Node, openNode } from './control/node.ts'

export type {
  Duration,
  Named,
  Persistence,
  RequestContext,
  RequestFacts,
  RequestHook,
  ResponseContext,
  ResponseHook,
  SetCookies,
} from './affinity/script-hooks.ts'
export type { AffinityStrategy, Client, OutgoingRequest, PersistenceCode, Session } from './affinity/strategy.ts'
export type { Balancer, SelectionPolicy } from './balancing/balancer.ts'
export type * from './config/config.ts'
export { ConfigErrors } from './config/config-errors.ts'
export { loadConfig } from './config/load.ts'
export type { ConfigChanges, NameChanges } from './control/config-changes.ts'
export type { Node } from './control/node.ts'
export { StartFailure } from './control/start-failure.ts'
export type { Pool, Topology } from './routing/topology.ts'
export type { ExchangeRecord, RefusalCode } from './traffic/exchange-record.ts'
export type { Backend, BackendHealth } from './upstream/backend.ts'
export type { InFlight, ResponseSink, Transport } from './upstream/transport.ts'
export type { RequestHead } from './wire/request-head.ts'
export type { ResponseHead } from './wire/response-head.ts'

/** What an embedding program decides. */
export interface StartOptions {
  /** Gives up a start that is still waiting, for the store for example. */
  readonly signal?: AbortSignal
  /** Used instead of the configured one, and left open: nodes of one process can share a MemoryStore. */
  readonly store?: Store
  /** The file descriptor to log on; 1 by default. */
  readonly logTo?: number
}

/**
 * Starts a node within this process, whatever number of workers the configuration names, and resolves when it serves; rejects
 * with StartFailure when it cannot. It leaves signals to the program.
 */
export async function startNode(config: Config, options: StartOptions = {}): Promise<Node> {
  const { signal = new AbortController().signal, store, logTo = 1 } = options
  const output = openLog({ node: config.node.id, fd: logTo })
  return openNode({
    config,
    output,
    store,
    signal,
    startWorkers: (order, ownStore) => embedWorker(order, ownStore, output),
  })
}
