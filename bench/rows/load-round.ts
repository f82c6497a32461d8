import type { Backends } from '../backends.ts'
import { type Checks, startChecking } from '../checking-client.ts'
import { cpuSeconds } from '../cpu.ts'
import type { Contender, RunningProxy } from '../proxies/contender.ts'
import type { Measured } from '../rounds.ts'
import { complaints, type Load, type LoadFigures, startLoad } from '../wrk.ts'

/** A proxy that runs, with the load it is to bear. */
export interface Entry {
  readonly contender: Contender
  readonly proxy: RunningProxy
  readonly load: Load
}

/** Loads one proxy, with our own client beside wrk, and accounts for every request. */
export async function measureLoad(entry: Entry, entries: readonly Entry[], backends: Backends): Promise<Measured> {
  const { load } = entry
  const before = await reading(entry, entries, backends)
  const checking = startChecking(load.ports, load.path)
  const figures = await startLoad(load).figures
  const checks = await checking.stop()
  const after = await reading(entry, entries, backends)
  const served = after.served - before.served
  const spent = (key: 'proxy' | 'store' | 'others') => after[key] - before[key]
  const round = {
    cpu: (spent('proxy') / served) * 1e6,
    storeCpu: (spent('store') / served) * 1e6,
    rate: figures.requests / figures.seconds,
    p50: figures.p50,
    p99: figures.p99,
    share: spent('proxy') / figures.seconds,
    others: spent('others') / figures.seconds,
    served,
    checked: checks.replies,
  }
  return { round, faults: [...complaints(figures), ...checks.faults, ...difference(served, figures, checks, load)] }
}

async function reading({ proxy }: Entry, entries: readonly Entry[], backends: Backends) {
  const others = entries.filter((other) => other.proxy !== proxy).flatMap((other) => other.proxy.pids)
  const { served } = await backends.atRest()
  return { served, proxy: cpuSeconds(proxy.pids), store: cpuSeconds(proxy.storePids), others: cpuSeconds(others) }
}

/** Each request wrk or our client counted was served once; wrk leaves with one under way on each connection. */
function difference(served: number, figures: LoadFigures, checks: Checks, load: Load): string[] {
  const surplus = served - figures.requests - checks.replies
  if (surplus < 0) return [`${-surplus} replies that no backend gave`]
  return surplus > load.connections ? [`${surplus} requests more reached the backends than were sent`] : []
}
