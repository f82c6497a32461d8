import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import {
  configuration,
  type DemoEnvironment,
  type DemoNode,
  type DemoNodes,
  type NodesOptions,
  type Ports,
} from './nodes.ts'

type NodeProcess = ChildProcessByStdio<null, Readable, null>

const program = fileURLToPath(new URL('../../packages/proxy/src/main.ts', import.meta.url))

/** Two `sticky-proxy` processes over that Redis. */
export async function nodesAsProcesses({ environment, ports, signal }: NodesOptions): Promise<DemoNodes> {
  const host = await reachable(environment.DEMO_STORE, signal)
  await using stage = new AsyncDisposableStack()
  const start = async (name: string, port: Ports): Promise<DemoNode> => {
    const node = stage.adopt(spawnNode(name, port, environment), end)
    await serving(node, signal)
    return { name, url: `http://${port.listen}`, admin: `http://${port.admin}` }
  }
  const nodes = await Promise.all([start('n1', ports[0]), start('n2', ports[1])])
  const processes = stage.move()
  return {
    nodes,
    store: `Redis at ${host}, each node a process`,
    [Symbol.asyncDispose]: () => processes.disposeAsync(),
  }
}

// A node waits for its store as long as it takes; somebody who watches a demo would rather know.
async function reachable(redis: string, signal: AbortSignal): Promise<string> {
  const { hostname, port, host } = URL.parse(redis) ?? {}
  if (!hostname || !host) throw new Error('--redis must be a URL such as redis://127.0.0.1:6379')
  const probe = connect(Number(port) || 6379, hostname.replace(/^\[|\]$/g, ''))
  try {
    await once(probe, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(3_000)]) })
    return host
  } catch (cause) {
    throw new Error(`no Redis answers at ${host}`, { cause })
  } finally {
    probe.destroy()
  }
}

function spawnNode(id: string, { listen, admin }: Ports, environment: DemoEnvironment): NodeProcess {
  const flags = ['--node-id', id, '--listen', listen, '--admin', admin]
  const words = [program, 'run', '-c', fileURLToPath(configuration), ...flags]
  // A group of its own: Ctrl-C in the terminal reaches the demo alone, which then ends its nodes in order.
  return spawn(process.execPath, words, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
}

async function serving(node: NodeProcess, signal: AbortSignal): Promise<void> {
  for await (const line of createInterface({ input: node.stdout, signal })) {
    if (JSON.parse(line).msg === 'listening') return void node.stdout.resume()
  }
  signal.throwIfAborted()
  throw new Error('a node ended before it served')
}

async function end(node: NodeProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return
  const ended = once(node, 'exit')
  node.kill('SIGINT')
  await ended
}
