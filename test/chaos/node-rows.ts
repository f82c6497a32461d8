import { setTimeout as delay } from 'node:timers/promises'

import { eventually } from '../support/eventually.ts'
import type { ProxyNode } from '../support/proxy-node.ts'
import { expectQuiet, inFlightElsewhere, watchForNegatives } from './counts.ts'
import { type Death, wasCutBy } from './death.ts'
import type { Row } from './row.ts'
import { newcomersByBackend, Stage } from './stage.ts'
import { openSockets, stillOpen } from './web-sockets.ts'

const LEASE = 6_000
const SOCKETS = 200
const FEW_SOCKETS = 50

/** Nodes and workers that die, stand still or have too many newcomers at once. */
export const nodeRows: readonly Row[] = [
  {
    number: 10,
    name: 'kill -9 of a node with 200 WebSockets',
    does: 'all of them on one backend; kill -9 of their node, while newcomers come over the other',
    passes:
      'only what it had in flight fails, nobody moved; its counts are gone, and newcomers are spread again, within lease + 1 s',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const load = stage.load()
      const [survivor, doomed] = stage.nodes as [ProxyNode, ProxyNode]
      await openSockets(trial, stage, doomed, SOCKETS)
      await trial.under(load)
      const workers = await doomed.workerPids()
      await trial.fault(() => killWhole(doomed, workers))
      stage.nodes = [survivor]
      await trial.recovers(
        'its counts are gone',
        () => inFlightElsewhere(survivor),
        (count) => count <= 0,
        LEASE + 1_000,
      )
      const shares = Object.values(await newcomersByBackend(stage, 90))
      const areSpread = Math.max(...shares) <= 2 * Math.min(...shares)
      trial.expect('newcomers are spread again', shares.length === 3 && areSpread, shares)
      await trial.calm()
      trial.expectServed((visit) => visit.node === 1 && trial.wasCut(visit))
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes)
    },
  },
  {
    number: 11,
    name: 'Worker crash',
    does: `kill -9 of one of two workers, which have ${FEW_SOCKETS} WebSockets, then SIGSEGV again and again`,
    passes: 'only what it had in flight fails, nobody moved; replaced within 1 s; the counts are right',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open({ workers: 2 }))
      const node = stage.nodes[0]!
      const sockets = await openSockets(trial, stage, node, FEW_SOCKETS)
      await trial.under(stage.load())
      const crashes: Death[] = []
      await trial.fault(async () => void crashes.push(await crash(node, 'SIGKILL')))
      await trial.recovers('another serves', () => started(node), hasStarted(3), 1_000)
      for (let turn = 0; turn < (trial.isLong ? 10 : 1); turn++) {
        await delay(trial.isLong ? trial.form.during / 10 : trial.form.during)
        crashes.push(await crash(node, 'SIGSEGV'))
        // Those who end early are replaced ever later, by up to 5 s.
        await trial.within('another serves again', () => started(node), hasStarted(4 + turn), 7_000)
      }
      await trial.calm()
      trial.expectServed((visit) => visit.node === 0 && crashes.some((death) => wasCutBy(death, visit)))
      trial.expectAtHome()
      await expectQuiet(trial, stage.nodes, { left: stillOpen(sockets), within: LEASE + 1_000 })
    },
  },
  {
    number: 25,
    name: 'Stalled node',
    does: `SIGSTOP of a node with ${FEW_SOCKETS} WebSockets and of its workers for 8 s, beyond its lease, then SIGCONT`,
    passes:
      'who waited is served, nobody moved; others drop its counts meanwhile and see them again within 5 s; no count is negative or twice there; its log tells',
    isLong: true,
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const [stalled, other] = stage.nodes as [ProxyNode, ProxyNode]
      const sockets = await openSockets(trial, stage, stalled, FEW_SOCKETS)
      await trial.under(stage.load())
      const pids = [stalled.pid, ...(await stalled.workerPids())]
      await trial.fault(() => pids.forEach((pid) => void process.kill(pid, 'SIGSTOP')))
      const negative = watchForNegatives(trial, other)
      const over = delay(8_000)
      const others = () => inFlightElsewhere(other)
      await trial.within('others drop its counts', others, (count) => count <= 0, LEASE + 1_000)
      await over
      await trial.heal(() => pids.forEach((pid) => void process.kill(pid, 'SIGCONT')))
      await trial.recovers('others see its counts again', others, (count) => count >= FEW_SOCKETS, 5_000)
      await trial.calm()
      trial.expect('no count is negative', negative() === 0)
      trial.expect(
        'it logs that it was stopped',
        stalled.lines.some(({ msg }) => msg === 'process stalled'),
      )
      trial.expectServed()
      trial.expectAtHome()
      trial.expect('every WebSocket lives on', stillOpen(sockets) === FEW_SOCKETS, stillOpen(sockets))
      await expectQuiet(trial, stage.nodes, { left: FEW_SOCKETS })
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
      await expectQuiet(trial, stage.nodes)
    },
  },
]

/** The workers too, at once, as when a machine dies. */
async function killWhole(node: ProxyNode, workers: readonly number[]): Promise<void> {
  for (const pid of workers) process.kill(pid, 'SIGKILL')
  await node.kill()
}

/** Kills a worker; done when the system is done with it, its connections included. */
async function crash(node: ProxyNode, signal: NodeJS.Signals): Promise<Death> {
  const pid = (await node.workerPids())[0]!
  const from = performance.now()
  process.kill(pid, signal)
  await eventually(
    () => node.workerPids(),
    (pids) => !pids.includes(pid),
  )
  return { from, to: performance.now() }
}

/** Workers that have ever served. */
function started(node: ProxyNode): number {
  return node.lines.filter(({ msg }) => msg === 'worker started').length
}

const hasStarted = (count: number) => (all: number) => all === count
