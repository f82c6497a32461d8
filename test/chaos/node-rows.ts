import { setTimeout as delay } from 'node:timers/promises'

import { WebSocket } from 'ws'

import { eventually } from '../support/eventually.ts'
import type { ProxyNode } from '../support/proxy-node.ts'
import type { Target, Visit } from './client.ts'
import { Load } from './load.ts'
import type { Row } from './row.ts'
import { inFlight, newcomersByBackend, readiness, Stage } from './stage.ts'
import { HEARD, type Trial } from './trial.ts'
import { openSockets, watchForNegatives } from './web-sockets.ts'

const LEASE = 6_000
const SOCKETS = 200

/** Nodes and workers that die, end, stand still or are too many at once. */
export const nodeRows: readonly Row[] = [
  {
    number: 10,
    name: 'kill -9 of a node with 200 WebSockets',
    does: 'all of them on one backend; kill -9 of their node, while newcomers come over the other',
    passes:
      'only what it had in flight fails, nobody moved; its counts are gone, and newcomers even, within lease + 1 s',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const load = stage.load()
      const [doomed, survivor] = stage.nodes as [ProxyNode, ProxyNode]
      await openSockets(trial, stage, doomed, SOCKETS)
      await trial.under(load)
      const workers = await doomed.workerPids()
      await trial.fault(() => killWhole(doomed, workers))
      stage.nodes = [survivor]
      await trial.recovers(
        'its counts are gone',
        () => inFlight(survivor),
        (count) => count < SOCKETS / 2,
        LEASE + 1_000,
      )
      const shares = Object.values(await newcomersByBackend(stage, 90))
      const isEven = Math.max(...shares) <= 2 * Math.min(...shares)
      trial.expect('newcomers are even again', shares.length === 3 && isEven, shares)
      await trial.calm()
      trial.expectServed((visit) => visit.node === 0 && trial.wasUnderWay(visit))
      trial.expectAtHome()
    },
  },
  {
    number: 11,
    name: 'Worker crash',
    does: 'kill -9 of one of two workers, then SIGSEGV again and again',
    passes: 'only what it had in flight fails, nobody moved; replaced within 1 s; the counts are right',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ workers: 2 }))
      const node = stage.nodes[0]!
      await trial.under(stage.load())
      const crashes: Crash[] = []
      await trial.fault(async () => void crashes.push(await crash(node, 'SIGKILL')))
      await trial.recovers('it is replaced', () => node.workerPids(), twoWithout(crashes[0]!), 3_000)
      for (let turn = 0; turn < (trial.isLong ? 10 : 1); turn++) {
        await delay(trial.isLong ? trial.form.during / 10 : trial.form.during)
        const last = await crash(node, 'SIGSEGV')
        crashes.push(last)
        await trial.within('it is replaced again', () => node.workerPids(), twoWithout(last), 10_000)
      }
      await trial.calm()
      trial.expectServed((visit) => visit.node === 0 && crashes.some((crash) => wasCutBy(crash, visit)))
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes, LEASE + 1_000)
    },
  },
  {
    number: 20,
    name: 'SIGTERM',
    does: 'ten times over, of one of two nodes with 50 WebSockets, behind a balancer that asks /readyz four times a second',
    passes: 'no request fails, nobody moved; exit code 0 within shutdownTimeout; WebSockets end with it',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ config: { drain: { grace: '2s' } } }))
      const [leaver, other] = stage.nodes as [ProxyNode, ProxyNode]
      const load = new Load(readyTargets(trial, stage))
      const sockets = await openSockets(trial, stage, leaver, 50)
      await trial.under(load)
      await trial.fault(() => Array.from({ length: 10 }).forEach(() => void leaver.signal('SIGTERM')))
      const code = await Promise.race([leaver.exit(), delay(20_000, 'nothing yet')])
      trial.expect('it ends with 0', code === 0, code)
      trial.note(
        `ended after ${((performance.now() - trial.faultAt) / 1000).toFixed(1)} s, ${load.refused} connections were refused`,
      )
      trial.expect(
        'it has closed every WebSocket',
        sockets.every(({ readyState }) => readyState === WebSocket.CLOSED),
      )
      await trial.recovers(
        'its counts are gone',
        () => inFlight(other),
        (count) => count < 25,
        20_000,
      )
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
    },
  },
  {
    number: 21,
    name: 'Rolling restart of all nodes',
    does: 'three nodes, each ended by SIGTERM and started again on its port',
    passes: 'no error, nobody moved',
    isLong: true,
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ nodes: 3 }))
      await trial.under(stage.load())
      await trial.fault(async () => {
        for (const [place, node] of stage.nodes.entries()) {
          const listen = [{ address: `127.0.0.1:${node.port}` }]
          node.signal('SIGTERM')
          trial.expect(`node ${place + 1} ends with 0`, (await node.exit()) === 0)
          const next = await stage.startNode(place, { ...stage.configuration(place), listen })
          stage.nodes = stage.nodes.with(place, next)
          await delay(trial.form.during / 10)
        }
      })
      await trial.heal(() => undefined)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
    },
  },
  {
    number: 25,
    name: 'Stalled node',
    does: 'SIGSTOP of a node and its workers for 8 s, beyond its lease, then SIGCONT',
    passes: 'who waited is served, nobody moved; no count is negative or twice there',
    isLong: true,
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const [stalled, other] = stage.nodes as [ProxyNode, ProxyNode]
      await trial.under(stage.load())
      const pids = [stalled.pid, ...(await stalled.workerPids())]
      await trial.fault(() => pids.forEach((pid) => void process.kill(pid, 'SIGSTOP')))
      const negative = watchForNegatives(trial, other)
      await delay(8_000)
      await trial.heal(() => pids.forEach((pid) => void process.kill(pid, 'SIGCONT')))
      await trial.recovers(
        'it answers again',
        () => inFlight(stalled),
        (count) => count >= 0,
        5_000,
      )
      await trial.calm()
      trial.expect('no count is negative', negative() === 0)
      trial.expectServed()
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes, 3_000)
    },
  },
  {
    number: 26,
    name: 'Herd of newcomers',
    does: 'three nodes, 500 newcomers within a second',
    passes: 'no error; the busiest backend got at most 1.3 times what the idlest got',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ nodes: 3 }))
      await trial.fault(() => undefined)
      const shares = Object.values(await newcomersByBackend(stage, 500, 1_000))
      trial.asked(500)
      const ratio = Math.max(...shares) / Math.min(...shares)
      trial.note(`shares ${shares.join(', ')}`)
      trial.expect('their shares are even', shares.length === 3 && ratio <= 1.3, shares)
      await expectQuiet(trial, stage.nodes, 3_000)
    },
  },
]

/** The nodes that a balancer in front would send to: those that were ready when it asked last. */
function readyTargets(trial: Trial, stage: Stage): () => readonly Target[] {
  let ready = stage.nodes
  const timer = setInterval(async () => {
    const answers = await Promise.all(stage.nodes.map((node) => readiness(node).catch(() => undefined)))
    ready = stage.nodes.filter((_, place) => answers[place]?.status === 200)
  }, 250)
  trial.stack.defer(() => clearInterval(timer))
  return () => ready.map((node) => stage.targetOf(node))
}

/** The workers too, at once, as when a machine dies. */
async function killWhole(node: ProxyNode, workers: readonly number[]): Promise<void> {
  for (const pid of workers) process.kill(pid, 'SIGKILL')
  await node.kill()
}

/** A worker that died: from when to when its connections were closed, as far as can be seen from outside. */
interface Crash {
  readonly pid: number
  readonly from: number
  readonly to: number
}

async function crash(node: ProxyNode, signal: NodeJS.Signals): Promise<Crash> {
  const pid = (await node.workerPids())[0]!
  const from = performance.now()
  process.kill(pid, signal)
  await eventually(
    () => node.workerPids(),
    (pids) => !pids.includes(pid),
  )
  return { pid, from, to: performance.now() }
}

const twoWithout =
  ({ pid }: Crash) =>
  (pids: readonly number[]) =>
    pids.length === 2 && !pids.includes(pid)

function wasCutBy({ from, to }: Crash, { began, ended }: Visit): boolean {
  return began <= to + HEARD && ended >= from
}

async function expectQuiet(trial: Trial, nodes: readonly ProxyNode[], within: number): Promise<void> {
  const counts = () => Promise.all(nodes.map(inFlight))
  await trial.within('in quiet the counts are 0', counts, (all) => all.every((count) => count === 0), within)
}
