import { expect, test } from 'vitest'
import { MemorySessionTable } from './memory-session-table.ts'

test('the sweep frees a bounded number of rows at a time, and all in the end', async () => {
  let now = 1000
  let clockReads = 0
  const clock = () => {
    clockReads++
    return now
  }
  const table = new MemorySessionTable(clock, () => {})
  for (let i = 0; i < 2500; i++) {
    await table.bind({ pool: 'shop', id: `${i}` }, 'a', 0, { age: i < 2000 ? 100 : 1000, source: '' })
  }
  /** A row costs a list some looks at the clock, whether it is live or not; one that was freed costs none. */
  const costOfList = async () => {
    clockReads = 0
    for await (const _ of table.list('shop'));
    return clockReads
  }

  now += 500
  table.sweep()
  expect(await costOfList()).toBeGreaterThan(1500)
  table.sweep()
  table.sweep()

  expect(await costOfList()).toBeLessThan(500 * 4)
  expect((await table.count('shop')).get('a')).toBe(500)
})
