import { describe, expect, test } from 'vitest'

import { bareHost, coversHost, hostPattern, hostRank, matchesHost, portOf } from './host-pattern.ts'

describe('a host pattern', () => {
  test.for([
    ['example.com', 'example.com', true],
    ['example.com', 'EXAMPLE.com', true],
    ['Example.COM', 'example.com', true],
    ['example.com', 'example.com:80', true],
    ['example.com', 'example.com.', true],
    ['example.com', 'example.com.:8080', true],
    ['example.com.', 'example.com', true],
    ['example.com', 'www.example.com', false],
    ['example.com', 'badexample.com', false],
    ['example.com', '', false],
    ['*.example.com', 'www.example.com', true],
    ['*.example.com', 'a.b.Example.com:443', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'wwwexample.com', false],
    ['[::1]', '[::1]:9080', true],
    ['[::1]:9080', '[::1]:9080', true],
    ['[2001:DB8::1]', '[2001:db8::1]:80', true],
    ['[::1]', '[::2]', false],
    ['127.0.0.1', '127.0.0.1:8080', true],
    ['*', '', true],
    ['*', 'anything', true],
    ['*:9080', 'anything:9080', true],
    ['example.com:*', 'example.com:81', true],
  ] as const)('%s on Host %s, ports aside: %s', ([pattern, field, expected]) => {
    expect(matchesHost(hostPattern(pattern), bareHost(field))).toBe(expected)
  })

  test.for([
    ['example.com', undefined],
    ['example.com:9080', 9080],
    ['*:80', 80],
    ['*:*', undefined],
    ['[::1]:9080', 9080],
    ['[::1]', undefined],
  ] as const)('%s asks for the port %s', ([pattern, port]) => {
    expect(hostPattern(pattern).port).toBe(port)
  })
})

test.for([
  ['example.com', false, 80],
  ['example.com', true, 443],
  ['example.com:9080', true, 9080],
  ['[::1]', false, 80],
  ['[::1]:9080', false, 9080],
  ['', true, 443],
] as const)('the port of Host %s, over TLS %s, is %i', ([field, secure, port]) => {
  expect(portOf(field, secure)).toBe(port)
})

test.for([
  ['a.com', 'a.com:80', true],
  ['a.com:80', 'a.com', false],
  ['a.com:80', 'a.com:81', false],
  ['*:80', 'a.com:80', true],
  ['*', '*:80', true],
  ['a.com', '*', false],
  ['a.com', 'A.com.', true],
  ['*.a.com', 'x.a.com:80', true],
  ['*.a.com', '*.x.a.com', true],
  ['*.x.a.com', '*.a.com', false],
  ['*.a.com', 'a.com', false],
] as const)('%s covers %s: %s', ([a, b, expected]) => {
  expect(coversHost(hostPattern(a), hostPattern(b))).toBe(expected)
})

test('of hosts the exact one ranks first, then the one with a port', () => {
  const hosts = ['a.com:80', 'a.com', '*.b.a.com', '*.a.com:80', '*.a.com', '*:80', '*']

  expect(hosts.toSorted((a, b) => hostRank(hostPattern(b)) - hostRank(hostPattern(a)))).toEqual(hosts)
})
