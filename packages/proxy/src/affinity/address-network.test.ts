import { expect, test } from 'vitest'

import { networkOf } from './address-network.ts'

const whole = { ipv4: 32, ipv6: 64 }

test.for([
  ['192.0.2.1', '::ffff:192.0.2.1'],
  ['192.0.2.1', '::ffff:c000:201'],
  ['192.0.2.1', '0:0:0:0:0:FFFF:192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0:ffff:1:2:3'],
  ['2001:db8::1', '2001:0DB8::'],
  ['fe80::1%eth0', 'fe80::2%eth1'],
  ['::', '::1'],
])('%s and %s are one client', ([one, other]) => {
  expect(networkOf(one!, whole)).toBe(networkOf(other!, whole))
})

test.for([
  ['192.0.2.1', '192.0.2.2'],
  ['2001:db8::1', '2001:db8:0:1::1'],
  ['192.0.2.1', '::c000:201'],
])('%s and %s are two', ([one, other]) => {
  expect(networkOf(one!, whole)).not.toBe(networkOf(other!, whole))
})

test.for([
  ['10.1.2.3', 24, 'IPv4', '10.1.2.0/24'],
  ['10.1.255.3', 20, 'IPv4', '10.1.240.0/20'],
  ['10.1.2.3', 1, 'IPv4', '0.0.0.0/1'],
  ['::ffff:10.1.2.3', 24, 'IPv4', '10.1.2.0/24'],
  ['2001:db8:1234:5678::1', 48, 'IPv6', '20010db8123400000000000000000000/48'],
  ['2001:db8:1234:5678::1', 60, 'IPv6', '20010db8123456700000000000000000/60'],
  ['2001:db8::1', 128, 'IPv6', '20010db8000000000000000000000001/128'],
] as const)('%s in a network of %i bits of %s is of %s', ([address, bits, family, network]) => {
  expect(networkOf(address, family === 'IPv4' ? { ipv4: bits, ipv6: 64 } : { ipv4: 32, ipv6: bits })).toBe(network)
})

test.for([[''], ['unknown'], ['10.1.2'], ['10.1.2.3:80'], ['[::1]']])('%j is no address', ([text]) => {
  expect(networkOf(text!, whole)).toBeUndefined()
})
