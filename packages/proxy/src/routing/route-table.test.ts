import { describe, expect, test } from 'vitest'

import type { Config } from '../config/config.ts'
import { requestHead } from '../wire/heads.test-support.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { type RouteTable, routeTable } from './route-table.ts'
import { newcomerFrom, pathOf, pathsOf } from './routes.test-support.ts'

const table = tableOf([
  { host: ['legacy.example.com'], path: '/admin/*', to: 'admin' },
  { host: ['legacy.example.com'], to: 'legacy' },
  { host: ['*.example.com'], to: 'site' },
  { path: '/api/*', to: 'api' },
])

test.for([
  ['legacy.example.com', '/admin', 'admin', 0],
  ['legacy.example.com:8080', '/admin/users', 'admin', 0],
  ['legacy.example.com', '/administrator', 'legacy', 1],
  ['LEGACY.example.com.', '/', 'legacy', 1],
  ['shop.example.com', '/admin', 'site', 2],
  ['example.com', '/api/v1', 'api', 3],
  ['', '/api', 'api', 3],
] as const)('%s%s goes to the first route that matches: %s', ([host, path, to, index]) => {
  expect(found(table, host, path)).toMatchObject({ to, index })
})

test('a request no route matches has none', () => {
  expect(found(table, 'example.com', '/')).toBeUndefined()
})

test('the query takes no part in matching, nor do parameters of segments', () => {
  expect(found(table, '', '/api?x=/y')?.to).toBe('api')
  expect(found(table, '', '/api;v=1/x')?.to).toBe('api')
})

describe('of several routes that match', () => {
  const routes: Parts[] = [
    { path: '/*', to: 'all' },
    { path: '/x/*', to: 'x' },
    { host: ['a.com'], path: '/x/*', to: 'x of a' },
    { path: '/x/y/*', to: 'y' },
    { path: '/*', to: 'last' },
  ]

  test.for([
    ['first', 'a.com', '/x/y/z', 'all'],
    ['bottom-up', 'a.com', '/x/y/z', 'last'],
    ['best', 'a.com', '/x/y/z', 'y'],
    ['best', 'a.com', '/x/z', 'x of a'],
    ['best', 'b.com', '/x/z', 'x'],
    ['best', 'b.com', '/', 'all'],
  ] as const)('%s decides for %s%s: %s', ([routeMatch, host, path, to]) => {
    expect(found(tableOf(routes, { routeMatch }), host, path)?.to).toBe(to)
  })

  test.for([
    [['*:9080', '*', 'a.com', 'a.com:9080'], 'a.com:9080', 'a.com:9080'],
    [['*:9080', '*', 'a.com'], 'a.com:9080', 'a.com'],
    [['*', '*:9080'], 'a.com:9080', '*:9080'],
    [['*', '*:9080'], 'a.com:80', '*'],
  ] as const)('best chooses among the hosts %j for %s: %s', ([hosts, field, to]) => {
    const same = hosts.map((host) => ({ host: [host], path: '/x/*', to: host }))

    expect(found(tableOf(same, { routeMatch: 'best' }), field, '/x/y')?.to).toBe(to)
  })

  test('one whose path matches but not its host is no obstacle', () => {
    const routes = [
      { path: '/x/*', to: 'x' },
      { host: ['other.com'], path: '/x/y/*', to: 'other' },
    ]

    for (const routeMatch of ['bottom-up', 'best'] as const)
      expect(found(tableOf(routes, { routeMatch }), 'a.com', '/x/y')?.to).toBe('x')
  })

  test('those passed over leave it to the next', () => {
    const request = head('a.com', '/x/y/z')

    expect(tableOf(routes).match(request, newcomerFrom, 80, new Set([0]))?.to).toBe('x')
    expect(tableOf(routes).match(request, newcomerFrom, 80, new Set([0, 1, 2]))?.to).toBe('y')
    expect(tableOf(routes).match(request, newcomerFrom, 80, new Set([0, 1, 2, 3, 4]))).toBeUndefined()
  })
})

describe('a port', () => {
  const routes = [
    { host: ['example.com:443'], to: 'tls' },
    { host: ['EXAMPLE.com:80'], to: 'plain' },
    { host: ['[::1]:9080', '*:9081'], to: 'other' },
  ]

  test.for([
    ['example.com', false, 'plain'],
    ['Example.COM:80', true, 'plain'],
    ['example.com', true, 'tls'],
    ['[::1]:9080', false, 'other'],
    ['any.where:9081', false, 'other'],
    ['[::1]', false, undefined],
    ['example.com:8080', false, undefined],
  ] as const)('is that of Host %s, over TLS %s: %s', ([host, secure, to]) => {
    expect(tableOf(routes).match(head(host, '/'), { ...newcomerFrom, secure }, 9081)?.to).toBe(to)
  })

  test('or that which the client connected to', () => {
    const byListener = tableOf(routes, { vhostPort: 'listener' })

    expect(byListener.match(head('example.com:80', '/'), newcomerFrom, 443)?.to).toBe('tls')
    expect(byListener.match(head('example.com', '/'), newcomerFrom, 9081)?.to).toBe('other')
  })
})

test('a regular expression is looked for in the whole target, beside host and path', () => {
  const byLanguage = tableOf([
    { pattern: '[?&]lang=fr(&|$)', host: ['a.com'], to: 'french' },
    { pattern: '\\.png(\\?|$)', to: 'images' },
    { to: 'rest' },
  ])

  expect(found(byLanguage, 'a.com', '/x?lang=fr')?.to).toBe('french')
  expect(found(byLanguage, 'b.com', '/x?lang=fr')?.to).toBe('rest')
  expect(found(byLanguage, 'a.com', '/x.png?lang=de')?.to).toBe('images')
})

test.for(['first', 'best'] as const)('the URI that decided names the cookie, matching %s', (routeMatch) => {
  const paths = [pathOf('/x/*', { cookie: 'XID' }), pathOf('/x/y/*', { cookie: 'YID', parameter: 'yid' })]
  const uris = tableOf(
    [
      { paths, to: 'x' },
      { path: '/*', to: 'rest' },
    ],
    { routeMatch },
  )

  expect(found(uris, '', '/x')?.uri).toMatchObject({ sessionCookie: 'XID', contextPath: '/x' })
  expect(found(uris, '', '/x/y/z')?.uri).toEqual({ sessionCookie: 'YID', sessionParameter: 'yid', contextPath: '/x/y' })
  expect(found(uris, '', '/')?.uri).toEqual({
    sessionCookie: undefined,
    sessionParameter: undefined,
    contextPath: '/',
  })
})

test('within the last route that matches, too, the most specific URI decides', () => {
  const paths = [pathOf('/x/*', { cookie: 'XID' }), pathOf('/x/y/*', { cookie: 'YID' })]
  const uris = tableOf(
    [
      { path: '/x/y/z', to: 'first' },
      { paths, to: 'last' },
    ],
    { routeMatch: 'bottom-up' },
  )

  expect(found(uris, '', '/x/y/z')).toMatchObject({ to: 'last', uri: { sessionCookie: 'YID' } })
})

interface Parts {
  readonly host?: readonly string[]
  readonly path?: string
  readonly paths?: readonly ReturnType<typeof pathOf>[]
  readonly pattern?: string
  readonly to: string
}

function tableOf(routes: readonly Parts[], choice: Partial<Pick<Config, 'routeMatch' | 'vhostPort'>> = {}) {
  const rules = routes.map(({ host, path, paths = pathsOf(path), pattern, to }) => ({
    asks: { host, path: paths, pattern },
    to,
    among: undefined,
    whenDrained: 'refuse' as const,
  }))
  return routeTable(rules, { routeMatch: 'first', vhostPort: 'host-header', ...choice })
}

function found(table: RouteTable<string>, host: string, path: string) {
  return table.match(head(host, path), newcomerFrom, 80)
}

function head(host: string, target: string): RequestHead {
  return { ...requestHead(), target, path: target.replace(/\?.*/, ''), host }
}
