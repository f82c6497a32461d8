import { join } from 'node:path'

import { startBackends } from '../backends.ts'
import type { Path } from '../pages.ts'
import type { Kind, RunningProxy } from '../proxies/contender.ts'
import { enter, interleave } from '../rounds.ts'
import { learnSessions } from '../sessions.ts'
import { type Load, warmUp } from '../wrk.ts'
import { type Entry, measureLoad } from './load-round.ts'
import type { Lane, Measure, Row, Stage } from './row.ts'

/** A row that loads each proxy in turn with the same requests. */
export interface LoadQuestion {
  readonly id: string
  readonly title: string
  readonly path: Path
  readonly sessions: 'known' | 'new'
  readonly kinds: readonly Kind[]
  readonly reference: Kind
  /** Instead of the plan's. */
  readonly connections?: number
}

const measures: readonly Measure[] = [
  { key: 'cpu', title: 'CPU µs/request', digits: 1 },
  { key: 'storeCpu', title: 'Redis µs/request', digits: 1 },
  { key: 'rate', title: 'requests/s', digits: 0 },
  { key: 'p50', title: 'p50 ms', digits: 2 },
  { key: 'p99', title: 'p99 ms', digits: 2 },
  { key: 'share', title: 'its core', digits: 2 },
  { key: 'loadShare', title: 'load core', digits: 2 },
]

/** Makes a row of a question. */
export function loadRow(question: LoadQuestion): Row {
  const { id, title, kinds, reference } = question
  return { id, title, kinds, reference, measures, run: (stage) => run(question, stage) }
}

async function run(question: LoadQuestion, stage: Stage): Promise<Lane[]> {
  await using opened = new AsyncDisposableStack()
  const backends = opened.use(await startBackends())
  const entries: Entry[] = []
  for (const contender of stage.contenders) {
    stage.say(`warming up ${contender.name}`)
    const proxy = opened.use(await enter(contender, backends.list, stage))
    const load = await loadFor(proxy, { ...question, path: contender.path ?? question.path }, stage)
    await warmUp({ ...load, seconds: stage.plan.warmUp })
    entries.push({ contender, proxy, load })
  }
  return await interleave(stage.plan.rounds, entries, stage, (entry) => measureLoad(entry, backends))
}

async function loadFor(
  { ports }: RunningProxy,
  { path, sessions, connections }: LoadQuestion,
  { plan, folder }: Stage,
): Promise<Load> {
  const file = join(folder, `cookies-${ports[0]}`)
  const cookies = sessions === 'known' ? await learnSessions(ports, plan.knownSessions, file, path) : undefined
  return { ports, path, cookies, connections: connections ?? plan.connections, seconds: plan.seconds }
}
