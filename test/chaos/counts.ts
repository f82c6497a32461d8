import type { LoadList } from '@sticky/proxy/admin-api'

import type { ProxyNode } from '../support/proxy-node.ts'
import type { Trial } from './trial.ts'

/** Exchanges in flight in the whole cluster, as that node sees it. */
export async function inFlight(node: ProxyNode): Promise<number> {
  return (await loadOf(node)).reduce((sum, { cluster }) => sum + cluster, 0)
}

/** Those of them that other nodes are said to have. */
export async function inFlightElsewhere(node: ProxyNode): Promise<number> {
  return (await loadOf(node)).reduce((sum, { cluster, node: own }) => sum + cluster - own, 0)
}

/** What is in flight when the load is over: so much, as every node sees it, and of no backend less than nothing. */
export async function expectQuiet(
  trial: Trial,
  nodes: readonly ProxyNode[],
  { left = 0, within = 3_000 }: { readonly left?: number; readonly within?: number } = {},
): Promise<void> {
  const counts = () => Promise.all(nodes.map(inFlight))
  await trial.within(`in quiet the counts are ${left}`, counts, (all) => all.every((count) => count === left), within)
  for (const node of nodes) {
    const load = await loadOf(node)
    const isSound = load.every(({ cluster }) => cluster >= 0)
    trial.expect('no count is negative', isSound, load)
  }
}

/** Asks a node for its counts until the trial is over; tells how often one was negative. */
export function watchForNegatives(trial: Trial, node: ProxyNode): () => number {
  let negative = 0
  const timer = setInterval(async () => {
    const load = await loadOf(node).catch(() => [])
    if (load.some(({ cluster }) => cluster < 0)) negative++
  }, 200)
  trial.stack.defer(() => clearInterval(timer))
  return () => negative
}

async function loadOf(node: ProxyNode): Promise<LoadList['load']> {
  return (await node.ask<LoadList>('/v1/load')).load
}
