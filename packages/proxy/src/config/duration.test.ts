import { assert, constantFrom, integer, property } from 'fast-check'
import { expect, test } from 'vitest'

import { parseAge, parseDuration, showDuration } from './duration.ts'
import { Flaw } from './flaw.ts'

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5s', 1500],
  ['5m', 300_000],
  ['4h', 14_400_000],
  ['7d', 604_800_000],
])('%s is a duration', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds)
})

test.each(['', '30', 's', '30 s', '-5s', '+5s', '5S', '1e3s', '1h30m', '0s', '0.0001s', ' 5s', '25d', '99999999999s'])(
  '%j is none',
  (text) => {
    expect(parseDuration(text)).toBeInstanceOf(Flaw)
  },
)

test('an age may be longer than a timer can wait', () => {
  expect(parseDuration('90d')).toBeInstanceOf(Flaw)
  expect(parseAge('90d')).toBe(7_776_000_000)
  expect(parseAge('3651d')).toBeInstanceOf(Flaw)
})

test('whatever is written in a unit is read in milliseconds', () => {
  const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  const written = property(integer({ min: 1, max: 500 }), constantFrom('ms', 's', 'm', 'h'), (amount, unit) => {
    expect(parseDuration(`${amount}${unit}`)).toBe(amount * units[unit])
  })
  assert(written)
})

test.each([
  [1, '1ms'],
  [1500, '1500ms'],
  [90_000, '90s'],
  [1_800_000, '30m'],
  [129_600_000, '36h'],
  [604_800_000, '7d'],
])('%d ms are shown as %s, which says the same', (milliseconds, text) => {
  expect(showDuration(milliseconds)).toBe(text)
  expect(parseAge(text)).toBe(milliseconds)
})
