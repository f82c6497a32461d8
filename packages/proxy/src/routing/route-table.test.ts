import { expect, test } from 'vitest'

import { requestHead } from '../wire/heads.test-support.ts'
import type { RequestHead } from '../wire/request-head.ts'
import { routeTable } from './route-table.ts'

const table = routeTable([
  { pattern: { host: 'legacy.example.com', path: '/admin/*' }, to: 'admin' },
  { pattern: { host: 'legacy.example.com', path: undefined }, to: 'legacy' },
  { pattern: { host: '*.example.com', path: undefined }, to: 'site' },
  { pattern: { host: undefined, path: '/api/*' }, to: 'api' },
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
  expect(table.match(request(host, path))).toMatchObject({ to, index })
})

test('a request no route matches has none', () => {
  expect(table.match(request('example.com', '/'))).toBeUndefined()
})

test('the query takes no part in matching', () => {
  expect(table.match({ ...request('', '/api'), target: '/api?x=/y' })?.to).toBe('api')
})

const request = (host: string, path: string): RequestHead => ({
  ...requestHead(),
  target: path,
  path,
  host,
  cookie: undefined,
  header: () => undefined,
})
