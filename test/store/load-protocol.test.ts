import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { freshPrefix, redisUrl } from '../support/redis.ts'
import { Chaos, steps, type Tally } from './load-chaos.ts'
import type { Variant } from './load-simulation.ts'

const seed = Number(process.env.STICKY_SEED ?? Date.now() % 2 ** 31)
const runs = Number(process.env.STICKY_LOAD_RUNS ?? 60)

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

test('totals stay the sum of the ledgers and picks the least load, whatever is lost, late, repeated or killed', async () => {
  const tally = newTally()

  await fc.assert(loadTableHolds(tally), { seed, numRuns: runs })

  console.log(`load table: seed ${seed}, ${JSON.stringify(tally)}`)
  expect(tally.picks).toBeGreaterThan(runs)
})

describe('the property finds', () => {
  const faults: [name: string, script: string, check: string, without: string][] = [
    ['calls repeated or out of order', 'load-call', 'tonumber(known[3] or -1) + 1 == sequence', 'true'],
    ['calls of an earlier incarnation', 'load-call', 'known[2] == incarnation', 'true'],
    ['calls of an earlier epoch', 'load-call', 'epoch and known[1] == epoch', 'true'],
    ['late opens', 'load-open', 'old_incarnation >= incarnation', 'false'],
    ['a ledger lost before an open', 'load-open', 'leased and old_epoch ~= epoch', 'false'],
    ['an open that counts twice', 'load-open', 'old_epoch == epoch', 'false'],
    [
      'a ledger lost before a reap',
      'load-reap',
      "redis.call('HGET', ledger, '#e') ~= redis.call('HGET', load, '#e')",
      'false',
    ],
    ['a reap of the living', 'load-reap', 'not deadline or deadline > milliseconds()', 'false'],
  ]

  test.for(faults)('%s, were they not checked', async ([, script, check, without]) => {
    const variant: Variant = (name, lua) => {
      if (name !== script) return lua
      expect(lua).toContain(check)
      return lua.replace(check, without)
    }

    const result = await fc.check(loadTableHolds(newTally(), variant), { seed: 1, numRuns: 2000, endOnFailure: true })

    expect(result.failed).toBe(true)
    console.log(script, result.numRuns, String((result.errorInstance as Error)?.message).slice(0, 80))
  })
})
