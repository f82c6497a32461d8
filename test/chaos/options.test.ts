import { expect, test } from 'vitest'

import { type Options, parseOptions } from './options.ts'
import type { Row } from './row.ts'
import { rows } from './rows.ts'

const numbers = (chosen: readonly Row[]) => chosen.map(({ number }) => number)

test('by default each fault is made once and for a short time, without the rows that need minutes', () => {
  expect(parseOptions([])).toMatchObject({ form: { name: 'short' }, soaks: false, reports: false })
  const { rows: chosen } = parseOptions([]) as Options
  expect(numbers(chosen)).toEqual(numbers(rows.filter(({ isLong }) => !isLong)))
})

test('the long form takes every row, soaks and reports; of some rows only when asked', () => {
  expect(parseOptions(['--long'])).toMatchObject({ form: { name: 'long' }, rows, soaks: true, reports: true })
  expect(parseOptions(['--long', '--row', '2'])).toMatchObject({ soaks: false, reports: false })
  expect(parseOptions(['--row', '2', '--report'])).toMatchObject({ soaks: false, reports: true })
})

test('rows are chosen by their numbers, long ones too', () => {
  const { rows: chosen } = parseOptions(['--row', '2,24']) as Options

  expect(numbers(chosen)).toEqual([2, 24])
})

test.each([
  [['--row', '27'], 'there is no row 27'],
  [['--short', '--long'], 'either --short or --long'],
  [['--rows', '2'], "Unknown option '--rows'"],
])('%j is wrong usage', (args, why) => {
  expect(parseOptions(args)).toMatch(new RegExp(`^${why}`))
})
