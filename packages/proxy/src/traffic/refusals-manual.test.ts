import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { refusals } from './refusals.ts'

const manual = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8')

test.each(Object.entries(refusals))('the manual tells what %s answers', (code, { status, text }) => {
  const answer = status === 0 ? 'none | |' : `${status} | ${text} |`

  expect(manual).toContain(`\n| \`${code}\` | ${answer}`)
})

test('and of no other refusals', () => {
  const section = /^## Refusals\n(.*?)^\*\*Retries/ms.exec(manual)![1]!

  expect([...section.matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code).sort()).toEqual(
    Object.keys(refusals).sort(),
  )
})
