import { expect, test } from 'vitest'

import { parseCidr } from './cidr.ts'
import { Flaw } from './flaw.ts'

test.each([
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.1.2.3', '10.1.2.3/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['fd00::/8', 'fd00::/8'],
  ['::1', '::1/128'],
])('%s is the range %s', (text, range) => {
  expect(parseCidr(text)).toBe(range)
})

test.each([
  '',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0/8',
  'fd00::/129',
  'fe80::1%eth0',
  'example.com',
  '10.0.0.0/8/8',
])('%j is none', (text) => {
  expect(parseCidr(text)).toBeInstanceOf(Flaw)
})
