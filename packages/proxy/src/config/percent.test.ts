import { expect, test } from 'vitest'

import { Flaw } from './flaw.ts'
import { parsePercent } from './percent.ts'
import { parseStatuses } from './statuses.ts'

test.each([
  ['0%', 0],
  ['50%', 0.5],
  ['12.5 %', 0.125],
  ['100%', 1],
])('%s is the share %f', (text, share) => {
  expect(parsePercent(text)).toBe(share)
})

test.each(['50', '101%', '-5%', '%', 'half'])('%s is no share', (text) => {
  expect(parsePercent(text)).toBeInstanceOf(Flaw)
})

test.each([
  ['204', 204, 204],
  ['2xx', 200, 299],
  ['5XX', 500, 599],
  ['200-399', 200, 399],
])('%s means the statuses %i to %i', (text, from, to) => {
  expect(parseStatuses(text)).toEqual({ from, to })
})

test.each(['600', '2x', '399-200', '20-30', '', '200,204'])('%s means no statuses', (text) => {
  expect(parseStatuses(text)).toBeInstanceOf(Flaw)
})
