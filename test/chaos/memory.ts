import { readdirSync, readFileSync } from 'node:fs'

import type { ProxyNode } from '../support/proxy-node.ts'

/** Resident memory of a node and its workers, in MiB; what they share, which is the program itself, is counted once. */
export async function residentMiB(node: ProxyNode): Promise<number> {
  const pids = [node.pid, ...(await node.workerPids())]
  const own = pids.reduce((sum, pid) => sum + kibibytes(pid, 'RssAnon'), 0)
  const shared = Math.max(...pids.map((pid) => kibibytes(pid, 'RssFile')))
  return (own + shared) / 1024
}

function kibibytes(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
}

/** Seconds of processor time that a node's workers have used. */
export async function processorSeconds(node: ProxyNode): Promise<number> {
  return (await node.workerPids()).reduce((sum, pid) => sum + ticksOf(pid), 0) / 100
}

/** User and system time, in hundredths of a second. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** Open descriptors of a node's workers. */
export async function openDescriptors(node: ProxyNode): Promise<number> {
  return (await node.workerPids()).reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
}
