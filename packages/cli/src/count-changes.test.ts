import { apiVersion, type SessionCount } from '@sticky/proxy/admin-api'
import { expect, test } from 'vitest'

import { CountChanges } from './count-changes.ts'

const time = '2026-05-01T12:00:00.000Z'

test('counts are told when they change, with the difference', () => {
  const changes = new CountChanges()

  expect(changes.look(count({ a: 10, b: 5 }), time)).toEqual([])
  expect(changes.look(count({ a: 12, b: 5 }), time)).toEqual([
    { event: 'counted', time, pool: 'shop', backend: 'a', sessions: 12, change: 2 },
  ])
  expect(changes.look(count({ a: 12, b: 1 }), time)).toMatchObject([{ backend: 'b', sessions: 1, change: -4 }])
})

test('a backend counted for the first time comes from nothing', () => {
  const changes = new CountChanges()
  changes.look(count({ a: 1 }), time)

  expect(changes.look(count({ a: 1, c: 3 }), time)).toMatchObject([{ backend: 'c', sessions: 3, change: 3 }])
})

function count(counted: Record<string, number>): SessionCount {
  const backends = Object.entries(counted).map(([backend, sessions]) => ({ backend, sessions }))
  const total = backends.reduce((sum, { sessions }) => sum + sessions, 0)
  return { apiVersion, total, pools: [{ pool: 'shop', total, backends }] }
}
