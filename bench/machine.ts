import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'

/** Where a run was made: figures of different machines do not compare. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  /** One-minute load average before the run: above 0.5 somebody else was at work. */
  readonly loadBefore: number
}

/** This machine at this moment. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    loadBefore: Number(loadavg()[0]?.toFixed(2)),
  }
}

/** A name for files: processor and number of cores, never the host's own name. */
export function nameOf({ cpu, cores }: Machine): string {
  const model = cpu.toLowerCase().replaceAll(/\(r\)|\(tm\)|processor|cpu|@.*/g, '')
  return `${model.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '')}-${cores}-cores`
}

/** Seconds the hypervisor gave to others since boot, over all cores: a neighbour's noise in our figures. */
export function stolenSeconds(): number {
  const [, ...ticks] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!.split(/\s+/)
  return Number(ticks[7]) / 100
}
