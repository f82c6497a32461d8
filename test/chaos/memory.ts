import { readdirSync, readFileSync } from 'node:fs'

import type { ProxyNode } from '../support/proxy-node.ts'

/** Resident memory of a node and its workers, in MiB. */
export async function residentMiB(node: ProxyNode): Promise<number> {
  const pids = [node.pid, ...(await node.workerPids())]
  return pids.reduce((sum, pid) => sum + residentKiB(pid), 0) / 1024
}

function residentKiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
}

/** Open descriptors of a node's workers. */
export async function openDescriptors(node: ProxyNode): Promise<number> {
  return (await node.workerPids()).reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
}
