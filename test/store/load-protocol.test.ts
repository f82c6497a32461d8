import { AssertionError } from 'node:assert'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { loadScripts } from '../../packages/store/src/load-scripts.ts'
import { freshPrefix, redisUrl } from '../support/redis.ts'
import { Chaos, steps, type Tally } from './load-chaos.ts'
import type { Variant } from './load-simulation.ts'

const seed = Number(process.env.STICKY_SEED ?? Date.now() % 2 ** 31)
const runs = Number(process.env.STICKY_LOAD_RUNS ?? 60)
/** A run takes seconds, but finding the shortest history of a failure takes longer. */
const shrinking = Math.max(60_000, runs * 200)

function newTally(): Tally {
  return { picks: 0, grants: 0, refusals: 0, faults: {} }
}

function loadTableHolds(tally: Tally, variant?: Variant) {
  return fc.asyncProperty(steps, async (sequence) => {
    await using chaos = new Chaos(redisUrl(), freshPrefix(), tally, variant)
    for (const step of sequence) await chaos.step(step)
    await chaos.settle()
  })
}

test(
  'totals stay the sum of the ledgers and picks the least load, whatever is lost, late, repeated or killed',
  async () => {
    const tally = newTally()
    console.log(`load table: STICKY_SEED=${seed} STICKY_LOAD_RUNS=${runs}`)

    await fc.assert(loadTableHolds(tally), { seed, numRuns: runs })

    console.log(`load table: ${JSON.stringify(tally)}`)
    expect(tally.picks).toBeGreaterThan(runs)
  },
  shrinking,
)

const lostLedger = "redis.call('HGET', ledger, '#e') ~= redis.call('HGET', load, '#e')"

describe('the property finds', () => {
  const faults: [name: string, script: keyof typeof loadScripts, check: string, without: string][] = [
    ['calls repeated or out of order', 'call', 'tonumber(known[3] or -1) + 1 == sequence', 'true'],
    ['calls of an earlier incarnation', 'call', 'known[2] == ticket', 'true'],
    ['calls of an earlier epoch', 'call', 'epoch and known[1] == epoch', 'true'],
    ['opens that come late', 'open', 'old_incarnation >= incarnation', 'false'],
    ['opens that count twice', 'open', 'old_epoch == epoch', 'false'],
    ['opens over a lost ledger', 'open', 'leased and old_epoch ~= epoch', 'false'],
    ['beats after a flush', 'beat', 'not epoch or known[1] ~= epoch or known[2] ~= ticket', 'false'],
    ['reaps of a lost ledger', 'reap', lostLedger, 'false'],
    ['reaps of the living', 'reap', 'not deadline or deadline > milliseconds()', 'not deadline'],
  ]

  test.for(faults)('%s, were they not checked', async ([, script, check, without]) => {
    const { lua, name } = loadScripts[script]
    expect(lua).toContain(check)
    const variant: Variant = (of, text) => (of === name ? text.replace(check, without) : text)

    const result = await fc.check(loadTableHolds(newTally(), variant), { seed: 1, numRuns: 300, endOnFailure: true })

    expect(result.failed).toBe(true)
    expect(result.errorInstance).toBeInstanceOf(AssertionError)
  })
})
