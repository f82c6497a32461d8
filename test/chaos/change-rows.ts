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
    does: `every 500 ms on both nodes, one of which has ${SOCKETS} WebSockets, by two configurations in turn, every third time by an invalid one`,
    passes:
      'no error, nobody moved; the invalid one is refused; WebSockets, counts, descriptors and memory stay what they were',
    async run(trial) {
      const stage = trial.stack.use(await Stage.open())
      const sockets = await openSockets(trial, stage, stage.nodes[0]!, SOCKETS)
      await trial.under(stage.load())
      const usual = await measured(stage)
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
      const few = ({ descriptors }: Measured) => descriptors <= usual.descriptors + 24
      await trial.within('descriptors are again what they were', () => measured(stage), few, 10_000)
      const now = await measured(stage)
      trial.note(
        `descriptors ${usual.descriptors} before, ${now.descriptors} after; ${usual.mib} MiB and ${now.mib} MiB`,
      )
      trial.expectInTime('memory stays what it was', now.mib <= usual.mib * 1.3, now)
      await trial.calm()
      trial.expectServed()
      trial.expectAtHome()
      trial.expect('every WebSocket lives on', stillOpen(sockets) === SOCKETS, stillOpen(sockets))
      await expectQuiet(trial, stage.nodes, { left: SOCKETS })
    },
  },
]

/** Lets every node read its file anew, with other weights and policy in turn, or with what cannot be; their answers' statuses. */
async function reloadedTo(stage: Stage, turn: number): Promise<number[]> {
  const pool = [{ balance: 'leastLoad' }, { balance: 'roundRobin' }, { balance: 'leastwork' }][turn]
  return Promise.all(
    stage.nodes.map(async (node, place) => {
      const configuration = stage.configuration(place)
      const pools = { ...configuration.pools, [POOL]: { ...configuration.pools[POOL], ...pool } }
      await node.write({ ...configuration, pools })
      return (await node.reload()).status
    }),
  )
}

interface Measured {
  readonly descriptors: number
  readonly mib: number
}

async function measured({ nodes }: Stage): Promise<Measured> {
  const descriptors = await Promise.all(nodes.map(openDescriptors))
  const mib = await Promise.all(nodes.map(residentMiB))
  const sum = (values: readonly number[]) => Math.round(values.reduce((total, value) => total + value, 0))
  return { descriptors: sum(descriptors), mib: sum(mib) }
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
