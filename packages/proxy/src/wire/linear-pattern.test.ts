import { expect, test } from 'vitest'

import { type LinearPattern, linearPattern } from './linear-pattern.ts'

test.for([
  ['/a', '/x/a?b', true],
  ['^/a', '/x/a', false],
  ['^/a(/|$)', '/ab', false],
  ['\\.(gif|png)(\\?|$)', '/logo.png?v=1', true],
  ['[?&]lang=fr(&|$)', '/x?lang=fr', true],
  ['^/[[:digit:]]+$', '/123', true],
  ['(?i)^/ADMIN', '/admin', true],
  ['.*', '/', true],
] as const)('%s on %s: %s', ([source, target, expected]) => {
  expect((linearPattern(source) as LinearPattern).matches(target)).toBe(expected)
})

test.for(['(', 'a**', '(?=a)', '\\1', 'a{1,2000}', '((a{1,100}){1,100}){1,100}', '(a{1,30}){1,30}', 'a{3,1}'])(
  '%s is refused in words',
  (source) => {
    expect(linearPattern(source)).toEqual(expect.any(String))
  },
)

test.for(['(a+)+$', '^(a|a)*$', '([a-z]+)*[0-9]', '(x+x+)+y', '(.*a){12}', '^(([a-z])+.)+[A-Z]([a-z])+$'])(
  '%s costs a hostile target no more than its length',
  (source) => {
    const pattern = linearPattern(source) as LinearPattern
    const begun = performance.now()

    for (const letter of 'ax') pattern.matches(`/${letter.repeat(8_190)}!`)

    // A backtracking engine would take longer than the universe has been there.
    expect(performance.now() - begun).toBeLessThan(1_000)
  },
)
