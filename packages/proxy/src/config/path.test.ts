import { expect, test } from 'vitest'

import { Flaw } from './flaw.ts'
import { parseCookiePath, parsePath } from './path.ts'

test.each(['/', '/*', '/cart', '/cart/', '/cart/*', '/a//b', '/%2f', '*.jsp', '/*.jsp', '/a/*.jsp'])(
  'a route may ask for the path %s',
  (path) => {
    expect(parsePath(path)).toBe(path)
  },
)

test.each([
  '',
  'cart',
  '*',
  '**',
  '*/a',
  '/a*',
  '/a*.jsp',
  '/*.jsp/*',
  '*.jsp*',
  '/a;v=1',
  '/*/a',
  '/a?b',
  '/a#b',
  '/a b',
  '/ä',
  '/a\\b',
  '/../a',
  '/a/.',
  '/%2E%2e/a',
])('but not for %j', (path) => {
  expect(parsePath(path)).toBeInstanceOf(Flaw)
})

test('a path is to be written as it is sent', () => {
  expect(parsePath('/café')).toMatchObject({ instead: '/caf%C3%A9' })
})

test('a cookie path cannot end its attribute', () => {
  expect(parseCookiePath('/app')).toBe('/app')
  expect(parseCookiePath('/app; Secure')).toBeInstanceOf(Flaw)
  expect(parseCookiePath('app')).toBeInstanceOf(Flaw)
})
