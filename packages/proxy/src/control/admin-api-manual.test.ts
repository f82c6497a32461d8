import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { type AdminRequest, adminRequests, problemStatus } from './admin-api.ts'

const manual = readFileSync(new URL('../../../../docs/admin-api.md', import.meta.url), 'utf8')

test('the manual lists every problem with its status, and no other', () => {
  const rows = Array.from(manual.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm), ([, code, status]) => [
    code,
    Number(status),
  ])

  expect(rows).toEqual(Object.entries(problemStatus))
})

test('the manual lists every request', () => {
  const requests = Object.values(adminRequests).map((make: (...parts: never[]) => AdminRequest) =>
    make('{id}' as never, '{id}' as never, '{id}' as never),
  )

  const lines = requests.map(({ method, path }) => `| \`${method} ${decodeURIComponent(path).replace(/\?.*/, '')}`)
  const listed = manual.replaceAll('{pool}', '{id}')

  expect(lines).toContain('| `GET /v1/sessions/{id}/cookies')
  expect(lines.filter((line) => !listed.includes(line))).toEqual([])
})
