import { describe, expect, test } from 'vitest'

import { runRow } from '../chaos/row.ts'
import { rows } from '../chaos/rows.ts'
import { short } from '../chaos/trial.ts'

// Each process that a row starts listens for our end.
process.setMaxListeners(200)

const inShort = rows.filter(({ isLong }) => !isLong)

// Each row has processes of its own and waits most of the time, so some go side by side: errors, moves and counts are asserted, no times.
describe('the failure matrix, each fault once', { concurrent: true, timeout: 120_000 }, () => {
  test.for(inShort)('row $number, $name: $passes', async (row, { expect }) => {
    const { failures, requests } = await runRow(row, short)

    expect(failures).toEqual([])
    expect(requests).toBeGreaterThan(0)
  })
})

test('every row of the matrix is there, and all but 8 and 21 to 25 are run here', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 26 }, (_, n) => n + 1))
  expect(rows.flatMap(({ number, isLong }) => (isLong ? [number] : []))).toEqual([8, 21, 22, 23, 24, 25])
})
