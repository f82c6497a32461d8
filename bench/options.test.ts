import { expect, test } from 'vitest'

import { parseOptions } from './options.ts'
import { full, quick } from './plan.ts'
import { rows } from './rows/rows.ts'

test('without options everything runs at length, and its figures may be quoted', () => {
  expect(parseOptions([])).toMatchObject({ plan: full, rows, whole: true })
})

test('a quick run, some rows or another revision are trials', () => {
  for (const args of [['--quick'], ['--only', '64k'], ['--against', 'HEAD'], ['--proxies', 'nginx']]) {
    expect(parseOptions(args)).toMatchObject({ whole: false })
  }
  expect(parseOptions(['--quick'])).toMatchObject({ plan: quick })
})

test('rows are chosen by name and run in their own order', () => {
  const options = parseOptions(['--only', '1m,known-session'])

  expect(options).toMatchObject({ rows: [{ id: 'known-session' }, { id: '1m' }] })
})

test('a row, proxy or option that does not exist is named', () => {
  expect(parseOptions(['--only', '64k,2m'])).toBe('there is no "2m"')
  expect(parseOptions(['--proxies', 'apache'])).toBe('there is no "apache"')
  expect(parseOptions(['--fast'])).toContain('--fast')
})
