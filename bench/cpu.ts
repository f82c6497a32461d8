import { readdirSync, readFileSync } from 'node:fs'

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
  readonly pages: number
}

// Linux shows clock ticks to user space as 1/100 s on every architecture; proc(5), USER_HZ.
const ticksPerSecond = 100
const bytesPerPage = 4096

/** CPU seconds, user and system, spent so far by these processes and everything they started and that still runs. */
export function cpuSeconds(roots: readonly number[]): number {
  return family(roots).reduce((sum, { ticks }) => sum + ticks, 0) / ticksPerSecond
}

/** Resident memory of these processes and everything they started, pages they share counted once for each. */
export function residentBytes(roots: readonly number[]): number {
  return family(roots).reduce((sum, { pages }) => sum + pages, 0) * bytesPerPage
}

/** Seconds this core was busy since boot, with whatever it was. */
export function busySeconds(core: number): number {
  const line = readFileSync('/proc/stat', 'latin1').match(new RegExp(`^cpu${core} (.*)$`, 'm'))?.[1] ?? ''
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = line.split(' ').map(Number)
  return (user + nice + system + interrupts + softInterrupts) / ticksPerSecond
}

function family(roots: readonly number[]): ProcessStat[] {
  const all = processes()
  const members = new Set(roots)
  for (let grown = true; grown; ) {
    const before = members.size
    for (const { pid, parent } of all) if (members.has(parent)) members.add(pid)
    grown = members.size > before
  }
  return all.filter(({ pid }) => members.has(pid))
}

function processes(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? [])
}

function statOf(pid: number): ProcessStat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the command in parentheses and may itself contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const field = (number: number) => Number(fields[number - 3])
    return { pid, parent: field(4), ticks: field(14) + field(15), pages: field(24) }
  } catch {
    return undefined
  }
}
