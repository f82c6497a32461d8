import { expect, test } from 'vitest'

import { addressRanges, plainAddress } from './address-ranges.ts'

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.0.0.1', '10.0.0.1', true],
  ['10.0.0.1', '10.0.0.2', false],
  ['0.0.0.0/0', '203.0.113.7', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['::1', '::1', true],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['10.0.0.0/8', '::ffff:10.0.0.1', true],
])('%s contains %s: %s', (range, address, contained) => {
  expect(addressRanges([range]).contains(address)).toBe(contained)
})

test.each(['', 'unknown', '10.0.0.1:80', '_hidden', '__proto__', '10.0.0', '1.2.3.4.5'])(
  '%j is in no range',
  (text) => {
    expect(addressRanges(['0.0.0.0/0', '::/0']).contains(text)).toBe(false)
  },
)

test('no ranges contain nothing', () => {
  expect(addressRanges([]).empty).toBe(true)
  expect(addressRanges([]).contains('127.0.0.1')).toBe(false)
})

test.each([
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['::1', '::1'],
  ['::ffff:0:1', '::ffff:0:1'],
])('%s is told as %s', (address, plain) => {
  expect(plainAddress(address)).toBe(plain)
})
