import { MemoryStore, type SessionRow } from '@sticky/store'
import { expect, test } from 'vitest'

import { type BulkChange, bulkChanges, type Outcome, type Tally } from './bulk-changes.ts'

test('all sessions are changed, a page at a time, and counted by what became of them', async () => {
  const outcomes: Outcome[] = ['changed', 'skipped', 'gone', 'changed']
  const pages: number[] = []
  let at = 0

  const tallies = await run(250, {
    change: async () => outcomes[at++ % 4]!,
    changed: async (rows) => void pages.push(rows.length),
  })

  expect(tallies.at(-1)).toEqual({ changed: 125, skipped: 63, gone: 62 })
  expect(pages).toEqual([50, 50, 25])
})

test('no more than asked', async () => {
  expect((await run(250, { limit: 120 })).at(-1)).toMatchObject({ changed: 120 })
  expect((await run(3, { limit: 120 })).at(-1)).toMatchObject({ changed: 3 })
})

test('no faster than asked, and how far it is is told from the first page on', async () => {
  const began = performance.now()

  const tallies = await run(30, { rate: 100 })

  expect(performance.now() - began).toBeGreaterThan(290)
  expect(tallies).toEqual([
    { changed: 10, skipped: 0, gone: 0 },
    { changed: 30, skipped: 0, gone: 0 },
  ])
})

test('whoever stops listening stops the rest', async () => {
  let changes = 0
  const change = async (): Promise<Outcome> => {
    changes++
    return 'changed'
  }

  for await (const _ of bulkChanges(await bulk(1000, { change }))) break

  expect(changes).toBe(100)
})

async function run(many: number, parts: Partial<BulkChange>): Promise<Tally[]> {
  const tallies: Tally[] = []
  for await (const tally of bulkChanges(await bulk(many, parts))) tallies.push({ ...tally })
  return tallies
}

async function bulk(many: number, parts: Partial<BulkChange>): Promise<BulkChange> {
  const { sessions } = new MemoryStore()
  for (let n = 0; n < many; n++)
    await sessions.bind({ pool: 'shop', id: String(n) }, 'a', 0, { age: 60_000, source: 'test' })
  const rows: AsyncIterable<SessionRow> = sessions.list('shop')
  const limits = { limit: Number.POSITIVE_INFINITY, rate: 1_000_000 }
  return { rows, ...limits, change: async () => 'changed', changed: async () => {}, ...parts }
}
