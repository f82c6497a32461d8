import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

import type { NodeList } from '@sticky/proxy/admin-api'

import type { Surroundings } from '../support/proxy-node.ts'
import { expectQuiet } from './counts.ts'
import { openDescriptors, residentMiB } from './memory.ts'
import type { Row } from './row.ts'
import { POOL, Stage } from './stage.ts'
import { openSockets, stillOpen } from './web-sockets.ts'

const SOCKETS = 20

/** Clocks that disagree, and configurations that change. */
export const changeRows: readonly Row[] = [
  {
    number: 18,
    name: 'Clocks disagree',
    does: 'one of three nodes is 90 s ahead, another 90 s behind',
    passes: 'no error, nobody moved; all three are nodes of the cluster all the time',
    async run(trial) {
      const surroundings = [ahead(90), {}, ahead(-90)]
      const stage = trial.stack.use(await Stage.open({ nodes: 3, surroundings }))
      trial.note(faketime === undefined ? 'the clock of JavaScript is shifted' : 'the clock is shifted by libfaketime')
      await trial.under(stage.load())
      await trial.fault(() => undefined)
      const end = performance.now() + Math.max(trial.form.during, 8_000)
      const seen = new Set<string>()
      for (; performance.now() < end; await delay(250)) {
        for (const node of stage.nodes)
          seen.add((await node.ask<NodeList>('/v1/nodes')).nodes.map(({ id }) => id).join())
      }
      trial.expect('each sees all three all the time', [...seen].join(' ') === 'n1,n2,n3', [...seen])
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
    },
  },
  {
    number: 19,
    name: 'Reload under load',
    does: `every 500 ms on both nodes, one of which has ${SOCKETS} WebSockets, by two configurations in turn that differ in policy, time limits, a pool and a listener, every third time by an invalid one`,
    passes:
      'no error, nobody moved; the invalid one is refused; WebSockets and counts stay what they were, in the long form descriptors and memory too',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const sockets = await openSockets(trial, stage, stage.nodes[0]!, SOCKETS)
      const quiet = await descriptors(stage)
      await trial.under(stage.load())
      const usual = await memory(stage)
      await trial.fault(() => undefined)
      const end = performance.now() + (trial.isLong ? 60_000 : 4_500)
      for (let turn = 0; performance.now() < end; turn++) {
        const next = delay(500)
        const statuses = await reloadedTo(stage, turn % 3)
        const expected = turn % 3 === 2 ? 422 : 200
        trial.expect(
          `reload ${turn} is answered ${expected}`,
          statuses.every((status) => status === expected),
          statuses,
        )
        await next
      }
      await trial.heal(() => undefined)
      const now = await memory(stage)
      trial.expectInTime('memory stays what it was', now <= usual * 1.3, now)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      trial.expect('every WebSocket lives on', stillOpen(sockets) === SOCKETS, stillOpen(sockets))
      await expectQuiet(trial, stage.nodes, { left: SOCKETS })
      const few = (open: number) => open <= quiet + 24
      const quieter = () => descriptors(stage)
      // Idle connections are kept for some seconds.
      if (trial.isLong) await trial.within('in quiet, descriptors are what they were', quieter, few, 15_000)
      trial.note(`descriptors ${quiet} before, ${await descriptors(stage)} after; ${usual} MiB and ${now} MiB`)
    },
  },
]

const ANY_PORT = { address: '127.0.0.1:0' }

/** What of the configuration is another one in turn; the last is invalid. */
const variants = [
  { pool: { balance: 'leastLoad' }, listen: [ANY_PORT] },
  { pool: { balance: 'roundRobin', timeouts: { response: '20s' } }, listen: [ANY_PORT, ANY_PORT], more: true },
  { pool: { balance: 'leastwork' }, listen: [ANY_PORT] },
] as const

/** Lets every node read its file anew; their answers' statuses. */
async function reloadedTo(stage: Stage, turn: number): Promise<number[]> {
  const { pool, listen, ...variant } = variants[turn]!
  return Promise.all(
    stage.nodes.map(async (node, place) => {
      const { pools, ...configuration } = stage.configuration(place)
      const more = 'more' in variant ? { more: { backends: stage.backends() } } : {}
      await node.write({ ...configuration, listen, pools: { ...pools, ...more, [POOL]: { ...pools[POOL], ...pool } } })
      return (await node.reload()).status
    }),
  )
}

/** Open ones of the nodes' workers. */
async function descriptors({ nodes }: Stage): Promise<number> {
  return sum(await Promise.all(nodes.map(openDescriptors)))
}

/** What the nodes hold, in MiB. */
async function memory({ nodes }: Stage): Promise<number> {
  return sum(await Promise.all(nodes.map(residentMiB)))
}

function sum(values: readonly number[]): number {
  return Math.round(values.reduce((total, value) => total + value, 0))
}

const libraries = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
const faketime = libraries.find((library) => existsSync(library))

/** A process whose clock is so many seconds ahead: all of it with libfaketime, else JavaScript's. Timers are as ever. */
function ahead(seconds: number): Surroundings {
  const offset = `${seconds < 0 ? '' : '+'}${seconds}s`
  if (faketime !== undefined) {
    return {
      env: { LD_PRELOAD: faketime, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' },
    }
  }
  const shift = `const { now } = Date; Date.now = () => now() + ${seconds * 1000}; globalThis.Date = class extends Date { constructor(...given) { given.length === 0 ? super(Date.now()) : super(...given) } }`
  return { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}` } }
}
