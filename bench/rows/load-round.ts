import type { Backends } from '../backends.ts'
import { type Checks, startChecking } from '../checking-client.ts'
import { busySeconds, cpuSeconds } from '../cpu.ts'
import { startLooping } from '../looping-client.ts'
import { loadCore, proxyCore } from '../processes.ts'
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
export async function measureLoad(entry: Entry, backends: Backends): Promise<Measured> {
  const { load } = entry
  const before = await reading(entry, backends)
  const checking = startChecking(load.ports, load.path)
  await using _looping = entry.contender.loops ? startLooping(load.ports) : undefined
  const figures = await startLoad(load).figures
  const checks = await checking.stop()
  const after = await reading(entry, backends)
  const served = after.served - before.served
  const spent = (key: Exclude<keyof typeof before, 'served'>) => after[key] - before[key]
  const round = {
    cpu: (spent('proxy') / served) * 1e6,
    storeCpu: (spent('store') / served) * 1e6,
    rate: figures.requests / figures.seconds,
    p50: figures.p50,
    p99: figures.p99,
    share: spent('proxy') / figures.seconds,
    loadShare: spent('loadCore') / figures.seconds,
    strangers: Math.max(0, spent('proxyCore') - spent('proxy')) / figures.seconds,
    served,
    checked: checks.replies,
  }
  return { round, faults: [...complaints(figures), ...checks.faults, ...difference(served, figures, checks, load)] }
}

/** What has been spent until now, in seconds; the cores' own time shows whether anybody else was at work. */
async function reading({ proxy }: Entry, backends: Backends) {
  const { served } = await backends.atRest()
  return {
    served,
    proxy: cpuSeconds(proxy.pids),
    store: cpuSeconds(proxy.storePids),
    proxyCore: busySeconds(proxyCore),
    loadCore: busySeconds(loadCore),
  }
}

/** Each request wrk or our client counted was served once; wrk leaves with one under way on each connection. */
function difference(served: number, figures: LoadFigures, checks: Checks, load: Load): string[] {
  const surplus = served - figures.requests - checks.replies
  if (surplus < 0) return [`${-surplus} replies that no backend gave`]
  return surplus > load.connections ? [`${surplus} requests more reached the backends than were sent`] : []
}
