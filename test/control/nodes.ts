import type { HoldingApp } from '../support/holding-app.ts'
import type { LogLine, ProxyNode } from '../support/proxy-node.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'

/** A configuration of two workers over the tests' Redis, in front of one application. */
export function configuration(app: HoldingApp, changes: object = {}): object {
  return {
    node: { id: 'n1', workers: 2 },
    store: { url: redisUrl(), prefix: freshPrefix(), lease: '2s', heartbeat: '200ms' },
    pools: {
      shop: {
        backends: [{ id: app.id, url: `http://127.0.0.1:${app.port}` }],
        affinity: [{ strategy: 'session-cookie', name: 'sticky', begin: 'always', age: '30m' }],
      },
    },
    routes: [{ pool: 'shop' }],
    drain: { grace: '200ms' },
    ...changes,
  }
}

/** The workers that the node's log says have started. */
export function startedWorkers(node: ProxyNode): number[] {
  return node.lines.filter((line) => line.msg === 'worker started').map((line) => line.worker_pid as number)
}

/** Resolves when so many workers have started since the node did. */
export async function workersStarted(node: ProxyNode, count: number): Promise<number[]> {
  const seen = new Set<LogLine>()
  for (let started = 0; started < count; started++) {
    seen.add(await node.logged('worker started', (line) => !seen.has(line)))
  }
  return startedWorkers(node)
}

/** Does the process live? */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
