import { openSync } from 'node:fs'
import { devNull } from 'node:os'
import { fileURLToPath } from 'node:url'

import { loadConfig, type Node, startNode } from '@sticky/proxy'
import { MemoryStore } from '@sticky/store'

import { configuration, type DemoNode, type DemoNodes, type NodesOptions, type Ports } from './nodes.ts'

/** Two nodes in this process over one MemoryStore: everything is as between machines but the store's own wire. */
export async function nodesInOneProcess({ environment, ports, signal }: NodesOptions): Promise<DemoNodes> {
  await using stage = new AsyncDisposableStack()
  const store = stage.use(new MemoryStore())
  // The screen is the demo's.
  const logTo = openSync(devNull, 'w')
  const start = async (name: string, { listen, admin }: Ports): Promise<DemoNode> => {
    const flags = { nodeId: name, listen: [listen], admin }
    const config = loadConfig(fileURLToPath(configuration), flags, environment)
    const node: Node = stage.use(await startNode(config, { store, logTo, signal }))
    return { name, url: `http://${node.addresses[0]}`, admin: `http://${node.adminAddress}` }
  }
  const nodes = [await start('n1', ports[0]), await start('n2', ports[1])] as const
  const opened = stage.move()
  return {
    nodes,
    store: 'memory: both nodes in this one process (--redis URL for two)',
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
