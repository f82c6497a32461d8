import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  bareHost,
  covers,
  hostPattern,
  matchesHost,
  matchesPath,
  pathPattern,
  type RoutePattern,
} from './uri-pattern.ts'

describe('a path pattern', () => {
  test.for([
    ['/x', '/x', true],
    ['/x', '/x/', false],
    ['/x', '/xy', false],
    ['/x', '/X', false],
    ['/x/*', '/x', true],
    ['/x/*', '/x/', true],
    ['/x/*', '/x/y', true],
    ['/x/*', '/x//y', true],
    ['/x/*', '/xy', false],
    ['/x/*', '/X/y', false],
    ['/x/*', '/%78/y', false],
    ['/x/*', '/x%2fy', false],
    ['/x/*', '/x;jsessionid=1/y', false],
    ['/%78/*', '/%78/y', true],
    ['/x/y/*', '/x', false],
    ['/*', '/', true],
    ['/*', '/anything/at/all', true],
    ['/', '/', true],
    ['/', '/x', false],
    [undefined, '/x', true],
  ] as const)('%s on %s: %s', ([pattern, path, expected]) => {
    expect(matchesPath(pathPattern(pattern), path)).toBe(expected)
  })
})

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
    ['[::1]', '[::1]', true],
    ['[2001:DB8::1]', '[2001:db8::1]:80', true],
    ['[::1]', '[::2]', false],
    ['127.0.0.1', '127.0.0.1:8080', true],
    [undefined, '', true],
    [undefined, 'anything', true],
  ] as const)('%s on Host %s: %s', ([pattern, field, expected]) => {
    expect(matchesHost(hostPattern(pattern), bareHost(field))).toBe(expected)
  })
})

describe('a route covers', () => {
  test.for([
    [{}, {}, true],
    [{}, { host: 'a.com', path: '/x' }, true],
    [{ path: '/*' }, { path: '/x' }, true],
    [{ path: '/x/*' }, { path: '/x/*' }, true],
    [{ path: '/x/*' }, { path: '/x' }, true],
    [{ path: '/x/*' }, { path: '/x/y/*' }, true],
    [{ path: '/x/*' }, { path: '/xy/*' }, false],
    [{ path: '/x/y/*' }, { path: '/x/*' }, false],
    [{ path: '/x' }, { path: '/x' }, true],
    [{ path: '/x' }, { path: '/x/*' }, false],
    [{ path: '/x' }, {}, false],
    [{ host: 'a.com' }, {}, false],
    [{ host: 'a.com' }, { host: 'A.com.' }, true],
    [{ host: '*.a.com' }, { host: 'x.a.com' }, true],
    [{ host: '*.a.com' }, { host: '*.x.a.com' }, true],
    [{ host: '*.x.a.com' }, { host: '*.a.com' }, false],
    [{ host: '*.a.com' }, { host: 'a.com' }, false],
    [{ host: '*.a.com', path: '/x/*' }, { host: 'x.a.com', path: '/*' }, false],
    [{ path: '/x/*' }, { host: 'a.com', path: '/x/y' }, true],
  ] as const)('%o before %o: %s', ([a, b, expected]) => {
    expect(covers(route(a), route(b))).toBe(expected)
  })

  test('whatever it matches: no request reaches a covered route but not the covering one', () => {
    fc.assert(
      fc.property(anyRoute, anyRoute, anyRequest, (a, b, request) => {
        const escapes = covers(a, b) && matches(b, request) && !matches(a, request)
        expect(escapes).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })
})

const route = (parts: { host?: string; path?: string }): RoutePattern => ({ host: parts.host, path: parts.path })

const segments = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 })
const anyRequest = fc.record({
  host: segments.map((labels) => labels.join('.')),
  path: segments.map((s) => `/${s.join('/')}`),
})
const anyRoute = fc.record({
  host: fc.option(
    fc.tuple(fc.boolean(), segments).map(([wild, labels]) => (wild ? '*.' : '') + labels.join('.')),
    {
      nil: undefined,
    },
  ),
  path: fc.option(
    fc.tuple(fc.boolean(), segments).map(([wild, parts]) => `/${parts.join('/')}${wild ? '/*' : ''}`),
    {
      nil: undefined,
    },
  ),
})

const matches = (pattern: RoutePattern, request: { host: string; path: string }): boolean =>
  matchesHost(hostPattern(pattern.host), bareHost(request.host)) && matchesPath(pathPattern(pattern.path), request.path)
