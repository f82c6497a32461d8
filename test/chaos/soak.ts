import { setTimeout as delay } from 'node:timers/promises'

import { residentMiB } from './memory.ts'
import type { Row } from './row.ts'
import { readiness, Stage, sessions } from './stage.ts'

const MINUTES = 10
/** Memory is sampled so often, and Redis killed every so many samples. */
const SAMPLE = 15_000
const FAULT_EVERY = 8

/** Ten minutes of load; every other minute Redis is killed for some seconds; memory is sampled all along. */
export const soak: Row = {
  number: 0,
  name: 'Soak of 10 minutes',
  does: 'the load, and Redis killed for 5 s every other minute',
  passes: 'no error, nobody moved, memory stays where it was after the first two minutes',
  isLong: true,
  async run(trial) {
    const stage = trial.stack.use(await Stage.open())
    await trial.under(stage.load())
    await trial.fault(() => undefined)
    const samples: number[] = []
    for (let sample = 1; sample <= (MINUTES * 60_000) / SAMPLE; sample++) {
      await delay(SAMPLE)
      samples.push(Math.round((await Promise.all(stage.nodes.map(residentMiB))).reduce((sum, mib) => sum + mib, 0)))
      if (sample % FAULT_EVERY === 0) await interrupt(stage)
    }
    const ready = () => Promise.all(stage.nodes.map(readiness))
    await trial.within('every node is ready', ready, (all) => all.every(({ status }) => status === 200), 5_000)
    await trial.calm()
    trial.expectServed()
    trial.expectAtHome()
    trial.note(`memory of both nodes with their workers, every ${SAMPLE / 1000} s, in MiB: ${samples.join(' ')}`)
    trial.note(`sessions at the end: ${await sessions(stage.nodes[0]!)}`)
    const settled = Math.max(...samples.slice(4, 8))
    const last = Math.max(...samples.slice(-4))
    trial.expect('memory does not grow by more than a fifth', last <= settled * 1.2, { settled, last })
  },
}

async function interrupt({ redis }: Stage): Promise<void> {
  await redis.kill()
  await delay(5_000)
  await redis.start()
}
