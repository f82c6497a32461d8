import { describe, expect, test } from 'vitest'

import { parseTarget } from './request-target.ts'

describe('a path passes as it came', () => {
  test.each([
    ...[
      '/',
      '//',
      '//a//b',
      '/a;b=c/d',
      '/a%2fb',
      '/a%2Fb',
      '/a%5cb',
      '/%zz',
      '/%',
      '/a%20b',
      '/...',
      '/.../a',
      '/.a',
      '/a.',
      '/a..',
      '/..a',
      '/.well-known/x',
    ],
    ...["/~!$&'()*+,;=:@", '/{}|^`"<>[]', '/%2e%2e%2e', '/a/.b/..c', '/%2ea', '/.%2e.'],
  ])('%s', (path) => {
    expect(parseTarget(path)).toEqual({ target: path, path, authority: undefined })
  })

  test.each(['/?', '/?a=b', '/?../..', '/?a?b', '/a?http://b/../c', '/?%2e%2e/', '/?;..'])(
    'with its query: %s',
    (target) => {
      expect(parseTarget(target)).toEqual({ target, path: target.slice(0, target.indexOf('?')), authority: undefined })
    },
  )
})

test.each([
  ['http://a', '/', 'a'],
  ['http://a/', '/', 'a'],
  ['HTTPS://A:80/b?c', '/b?c', 'A:80'],
  ['http://a?b', '/?b', 'a'],
  ['http://a//b', '//b', 'a'],
  ['http://[::1]:80/', '/', '[::1]:80'],
])('the absolute form %s is a path and an authority', (text, target, authority) => {
  expect(parseTarget(text)).toMatchObject({ target, authority })
})
