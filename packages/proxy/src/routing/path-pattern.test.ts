import { expect, test } from 'vitest'

import { contextPathOf, coversPath, literalsOf, matchesPath, pathPattern, withoutParameters } from './path-pattern.ts'

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
  ['/x/*', '/x;jsessionid=1', true],
  ['/x/*', '/x;jsessionid=1/y', true],
  ['/x', '/x;a;b=1', true],
  ['/x', '/;a/x', false],
  ['/%78/*', '/%78/y', true],
  ['/x/y/*', '/x', false],
  ['*.jsp', '/a/b.jsp', true],
  ['*.jsp', '/a/b.jsp;jsessionid=0000a:c1', true],
  ['*.jsp', '/a/b.jspx', false],
  ['*.jsp', '/a/b.JSP', false],
  ['/*.jsp', '/b.jsp', true],
  ['/*.jsp', '/a/b.jsp', true],
  ['/x/*.jsp', '/x/b.jsp', true],
  ['/x/*.jsp', '/x/a/b.jsp', true],
  ['/x/*.jsp', '/b.jsp', false],
  ['/x/*.jsp', '/x.jsp', false],
  ['/*', '/', true],
  ['/*', '/anything/at/all', true],
  ['/', '/', true],
  ['/', '/x', false],
  ['', '/x', true],
] as const)('%s on %s: %s', ([pattern, path, expected]) => {
  expect(matchesPath(pathPattern(pattern), withoutParameters(path))).toBe(expected)
})

test.for([
  ['/*', '/x', true],
  ['', '/*', true],
  ['/x/*', '/x/*', true],
  ['/x/*', '/x', true],
  ['/x/*', '/x/y/*', true],
  ['/x/*', '/x/*.jsp', true],
  ['/x/*', '/x/y/*.jsp', true],
  ['/x/*', '/xy/*', false],
  ['/x/*', '*.jsp', false],
  ['/x/y/*', '/x/*', false],
  ['/x', '/x', true],
  ['/x', '/x/*', false],
  ['/x', '/*', false],
  ['*.jsp', '/x/*.jsp', true],
  ['*.jsp', '/*.jsp', true],
  ['*.jsp', '/x/y.jsp', true],
  ['*.jsp', '/x/*', false],
  ['/x/*.jsp', '*.jsp', false],
] as const)('%s covers %s: %s', ([a, b, expected]) => {
  expect(coversPath(pathPattern(a), pathPattern(b))).toBe(expected)
})

test.for([
  ['/fon', 4, '/fon'],
  ['/fon/*', 5, '/fon'],
  ['/*', 1, '/'],
  ['', 0, '/'],
  ['*.jsp', 4, '/'],
  ['/x/*.jsp', 7, '/x'],
] as const)('%s has %i literal characters, and its paths begin with %s', ([path, literals, context]) => {
  expect(literalsOf(path)).toBe(literals)
  expect(contextPathOf(path)).toBe(context)
})
