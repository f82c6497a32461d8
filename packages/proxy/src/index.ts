import type { Config } from './config/config.ts'
import { embedWorker } from './control/embedded-worker.ts'
import { openLog } from './control/log.ts'
import { type Node, openNode } from './control/node.ts'

export type { AffinityStrategy, Client, OutgoingRequest, PersistenceCode, Session } from './affinity/strategy.ts'
export type { Balancer, SelectionPolicy } from './balancing/balancer.ts'
export type * from './config/config.ts'
export { ConfigErrors } from './config/config-errors.ts'
export { loadConfig } from './config/load.ts'
export type { Node } from './control/node.ts'
export { StartFailure } from './control/start-failure.ts'
export type { Pool, Topology } from './routing/topology.ts'
export type { ExchangeRecord, RefusalCode } from './traffic/exchange-record.ts'
export type { Backend, BackendHealth } from './upstream/backend.ts'
export type { InFlight, ResponseSink, Transport } from './upstream/transport.ts'
export type { RequestHead } from './wire/request-head.ts'
export type { ResponseHead } from './wire/response-head.ts'

/**
 * Starts a node within this process, whatever number of workers the configuration names, and resolves when it serves; rejects
 * with StartFailure when it cannot. It logs on stdout and leaves signals to the program.
 */
export async function startNode(config: Config, options: { readonly signal?: AbortSignal } = {}): Promise<Node> {
  const output = openLog({ node: config.node.id })
  return openNode({
    config,
    log: output.log,
    signal: options.signal ?? new AbortController().signal,
    startWorkers: (order, store) => embedWorker(order, store, output),
  })
}
