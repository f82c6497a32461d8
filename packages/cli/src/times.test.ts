import { expect, test } from 'vitest'

import { formatDuration, parseDuration, seconds, timestamp } from './times.ts'

test.each([
  ['90s', 90_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['250ms', 250],
])('%s is a duration', (text, expected) => {
  expect(parseDuration(text)).toBe(expected)
})

test.each(['', '5', 'm', '5 m', '-5m', '1.5h', '5mm', '5m!', 'NaNs'])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined()
})

test.each([
  [-400, '0s'],
  [999, '0s'],
  [119_999, '119s'],
  [120_000, '2m'],
  [330_000, '5m30s'],
  [14 * 60_000 + 59_000, '14m'],
  [119 * 60_000, '119m'],
  [3 * 3_600_000 + 12 * 60_000, '3h12m'],
  [30 * 3_600_000, '30h'],
  [5 * 86_400_000 + 3 * 3_600_000, '5d3h'],
  [40 * 86_400_000, '40d'],
])('%d ms reads %s in a table', (duration, text) => {
  expect(formatDuration(duration)).toBe(text)
})

test('JSON carries seconds and RFC 3339 moments in UTC', () => {
  expect(seconds(840_500)).toBe(840.5)
  expect(timestamp(0)).toBe('1970-01-01T00:00:00.000Z')
})
