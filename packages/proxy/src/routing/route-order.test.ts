import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Config } from '../config/config.ts'
import { requestHead } from '../wire/heads.test-support.ts'
import { unreachable } from './route-order.ts'
import { routeTable } from './route-table.ts'
import { newcomerFrom, pathsOf } from './routes.test-support.ts'

const never = () => false

describe('a route is out of reach', () => {
  test.for([
    ['first', [{}, { path: '/x' }], [[1, 0]]],
    ['first', [{ path: '/x' }, {}], []],
    ['first', [{ path: '/x/*' }, { host: 'a.com', path: '/x/y' }], [[1, 0]]],
    ['first', [{ path: '/a' }, { path: '/b' }, { path: ['/a', '/b'] }], [[2, 0]]],
    ['first', [{ path: '/a' }, { path: ['/a', '/b'] }], []],
    [
      'first',
      [
        { host: '*.a.com', path: '/x/*' },
        { host: 'x.a.com', path: '/*' },
      ],
      [],
    ],
    ['first', [{ host: 'a.com:80' }, { host: 'a.com' }], []],
    ['first', [{ pattern: 'x' }, { path: '/x' }], []],
    ['first', [{ pattern: 'x' }, { path: '/x', pattern: 'x' }], [[1, 0]]],
    ['first', [{}, { pattern: 'x' }], [[1, 0]]],
    ['bottom-up', [{ path: '/x' }, {}], [[0, 1]]],
    ['bottom-up', [{}, { path: '/x' }], []],
    ['best', [{}, { path: '/x' }], []],
    ['best', [{ path: '/x' }, {}], []],
    ['best', [{ path: '/x/*' }, { path: '/x/*' }], [[1, 0]]],
  ] as const)('with %s, of %j: %j', ([routeMatch, routes, expected]) => {
    expect([...unreachable(routes.map(asking), routeMatch, never)]).toEqual(expected)
  })

  test('never because of one that leaves newcomers to it', () => {
    expect([...unreachable([{}, { path: '/x' }].map(asking), 'first', (index) => index === 0)]).toEqual([])
  })

  test('only if no request finds it', () => {
    fc.assert(
      fc.property(fc.array(anyRoute, { maxLength: 4 }), anyOrder, anyRequest, (routes, routeMatch, request) => {
        const asks = routes.map(asking)
        const rules = asks.map((asks, to) => ({ asks, to, among: undefined, whenDrained: 'refuse' as const }))
        const table = routeTable(rules, { routeMatch, vhostPort: 'host-header' })
        const head = requestHead(`GET ${request.path}`, { Host: request.host })

        const found = table.match(head, newcomerFrom, 80)?.to

        expect(found === undefined || !unreachable(asks, routeMatch, never).has(found)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

interface Parts {
  readonly host?: string | undefined
  readonly path?: string | readonly string[] | undefined
  readonly pattern?: string | undefined
}

function asking({ host, path, pattern }: Parts) {
  return { host: host === undefined ? undefined : [host], path: pathsOf(path), pattern }
}

const anyOrder = fc.constantFrom<Config['routeMatch']>('first', 'bottom-up', 'best')
const segments = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 })
const anyPath = fc.tuple(fc.constantFrom('', '/*', '/*.a'), segments).map(([end, parts]) => `/${parts.join('/')}${end}`)
const anyPort = fc.constantFrom('', ':80', ':81')
const anyHost = fc
  .tuple(fc.constantFrom('', '*.'), segments, anyPort)
  .map(([wild, labels, port]) => wild + labels.join('.') + port)
const anyRoute = fc.record({
  host: fc.option(anyHost, { nil: undefined }),
  path: fc.option(fc.oneof(anyPath, fc.array(anyPath, { minLength: 1, maxLength: 2 })), { nil: undefined }),
})
const anyRequest = fc.record({
  host: fc.tuple(segments, anyPort).map(([labels, port]) => labels.join('.') + port),
  path: fc.tuple(segments, fc.constantFrom('', '/x.a')).map(([parts, end]) => `/${parts.join('/')}${end}`),
})
