import { expect, test } from 'vitest'

import { RecentChanges } from './recent-changes.ts'

const key = { pool: 'shop', id: 'a' }

test('an answer is held against the changes of its own row that came while it was under way', () => {
  const changes = new RecentChanges()
  changes.add(key, 9)
  const asked = changes.heard
  changes.add({ pool: 'shop', id: 'b' }, 8)
  changes.add({ pool: 'legacy', id: 'a' }, 7)

  expect(changes.below(key, asked)).toBe(0)
  changes.add(key, 5)
  changes.add(key, 3)
  expect(changes.below(key, asked)).toBe(5)
})

test('more changes than it remembers put every answer out of date', () => {
  const changes = new RecentChanges()
  for (let n = 0; n < 1024; n++) changes.add({ pool: 'shop', id: `${n}` }, 1)

  expect(changes.below(key, 0)).toBe(0)
  changes.add({ pool: 'shop', id: 'one more' }, 1)
  expect(changes.below(key, 0)).toBe(Infinity)
  expect(changes.below(key, 1)).toBe(0)
})
