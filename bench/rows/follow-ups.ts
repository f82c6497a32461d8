import { setTimeout as delay } from 'node:timers/promises'

import { startBackends } from '../backends.ts'
import { brokenBy, faultIn } from '../checking-client.ts'
import type { Kind, RunningProxy } from '../proxies/contender.ts'
import { enter, interleave, type Measured } from '../rounds.ts'
import { type Verdict, Visitor } from '../visitor.ts'
import { complaints, startLoad } from '../wrk.ts'
import type { Lane, Row, Stage } from './row.ts'

/** Sessions begun on one node and at once continued on the other, while both are busy beginning sessions. */
export const followUps: Row = {
  id: 'follow-ups',
  title: 'Immediate follow-ups on the other node, under full load of new sessions',
  kinds: ['sticky-pair', 'haproxy-peers'],
  measures: [
    { key: 'wrong', title: 'wrong backend', digits: 0 },
    { key: 'followUps', title: 'follow-ups', digits: 0 },
    { key: 'wrongPercent', title: 'wrong %', digits: 2 },
    { key: 'newSessions', title: 'new sessions/s', digits: 0 },
  ],
  run,
}

const atOnce = 8
const longerThanNeeded = 300

async function run(stage: Stage): Promise<Lane[]> {
  await using opened = new AsyncDisposableStack()
  const backends = opened.use(await startBackends())
  const subjects = []
  for (const contender of stage.contenders) {
    subjects.push({ contender, proxy: opened.use(await enter(contender, backends.list, stage)) })
  }
  return await interleave(stage.plan.rounds, subjects, stage, ({ contender, proxy }) =>
    measure(contender.kind, proxy, stage),
  )
}

async function measure(kind: Kind, { ports }: RunningProxy, { plan }: Stage): Promise<Measured> {
  const count = plan.followUps / plan.rounds
  const load = startLoad({
    ports,
    path: '/',
    cookies: undefined,
    connections: plan.connections,
    seconds: longerThanNeeded,
  })
  await delay(plan.warmUp * 1000)
  const verdicts = await follow(ports, count)
  load.stop()
  const figures = await load.figures
  const wrong = verdicts.filter(({ kind }) => kind === 'wrong-backend').length
  const round = {
    wrong,
    followUps: count,
    wrongPercent: (100 * wrong) / count,
    newSessions: figures.requests / figures.seconds,
  }
  return { round, faults: [...complaints(figures), ...faultsOf(kind, verdicts)] }
}

async function follow(ports: readonly number[], count: number): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  let begun = 0
  const client = async () => {
    while (begun < count) {
      const turn = begun++
      const visitor = new Visitor()
      const first = await visitor.visit(ports[turn % ports.length]!, '/').catch(brokenBy)
      const second = await visitor.visit(ports[(turn + 1) % ports.length]!, '/').catch(brokenBy)
      verdicts.push(first.kind === 'right' ? second : first)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, client))
  return verdicts
}

/** Replication that lags is how HAProxy's peers are made; of us it is promised that none goes wrong. */
function faultsOf(kind: Kind, verdicts: readonly Verdict[]): string[] {
  const counted = kind === 'haproxy-peers' ? verdicts.filter((verdict) => verdict.kind === 'broken') : verdicts
  return counted.flatMap((verdict) => faultIn(verdict) ?? [])
}
