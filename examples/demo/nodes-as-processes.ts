import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import { configuration, type DemoEnvironment, type DemoNodes, type Ports } from './nodes.ts'

type NodeProcess = ChildProcessByStdio<null, Readable, null>

const program = fileURLToPath(new URL('../../packages/proxy/src/main.ts', import.meta.url))

/** Two `sticky-proxy` processes over that Redis. */
export async function nodesAsProcesses(
  environment: DemoEnvironment,
  ports: readonly [Ports, Ports],
  redis: string,
): Promise<DemoNodes> {
  await using stage = new AsyncDisposableStack()
  for (const [index, port] of ports.entries()) {
    const node = stage.adopt(spawnNode(`n${index + 1}`, port, redis, environment), end)
    await serving(node)
  }
  const processes = stage.move()
  return {
    nodes: [node('n1', ports[0]), node('n2', ports[1])],
    store: `${redis}, each node a process`,
    [Symbol.asyncDispose]: () => processes.disposeAsync(),
  }
}

function node(name: string, { listen, admin }: Ports) {
  return { name, url: `http://${listen}`, admin: `http://${admin}` }
}

function spawnNode(id: string, { listen, admin }: Ports, redis: string, environment: DemoEnvironment): NodeProcess {
  const flags = ['--node-id', id, '--listen', listen, '--admin', admin, '--store', redis]
  const words = [program, 'run', '-c', fileURLToPath(configuration), ...flags]
  // A group of its own: Ctrl-C in the terminal reaches the demo alone, which then ends its nodes in order.
  return spawn(process.execPath, words, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
}

async function serving(node: NodeProcess): Promise<void> {
  for await (const line of createInterface(node.stdout)) {
    if (JSON.parse(line).msg === 'listening') return void node.stdout.resume()
  }
  throw new Error('a node ended before it served')
}

async function end(node: NodeProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return
  const ended = once(node, 'exit')
  node.kill('SIGTERM')
  await ended
}
