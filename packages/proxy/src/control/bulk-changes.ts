import { setTimeout as delay } from 'node:timers/promises'

import type { Milliseconds, SessionRow } from '@sticky/store'

/** What became of one session. */
export type Outcome = 'changed' | 'skipped' | 'gone'

/** How many sessions had which outcome. */
export type Tally = Readonly<Record<Outcome, number>>

/** Sessions to change, and how. */
export interface BulkChange {
  readonly rows: AsyncIterable<SessionRow>
  readonly limit: number
  /** Sessions a second. */
  readonly rate: number
  change(row: SessionRow): Promise<Outcome>
  /** Told of a page's sessions that were changed. */
  changed(rows: readonly SessionRow[]): Promise<void>
}

const largestPage = 100
const pagesPerSecond = 10
const interval: Milliseconds = 1_000

/** Changes sessions page by page, no faster than asked, and tells how far it is: after the first page, about every second, at the end. */
export async function* bulkChanges(bulk: BulkChange): AsyncGenerator<Tally> {
  const tally = { changed: 0, skipped: 0, gone: 0 }
  const began = performance.now()
  let told = -interval
  let done = 0
  for await (const page of pagesOf(bulk)) {
    const outcomes = await Promise.all(page.map((row) => bulk.change(row)))
    await bulk.changed(page.filter((_, i) => outcomes[i] === 'changed'))
    for (const outcome of outcomes) tally[outcome]++
    done += page.length
    const elapsed = performance.now() - began
    if (elapsed - told >= interval) {
      told = elapsed
      yield { ...tally }
    }
    await delay(Math.max(0, (done * 1000) / bulk.rate - elapsed))
  }
  yield tally
}

async function* pagesOf({ rows, limit, rate }: BulkChange): AsyncGenerator<SessionRow[]> {
  const size = Math.max(1, Math.min(largestPage, Math.ceil(rate / pagesPerSecond)))
  let page: SessionRow[] = []
  let left = limit
  for await (const row of rows) {
    page.push(row)
    left--
    if (page.length < size && left > 0) continue
    yield page
    if (left <= 0) return
    page = []
  }
  if (page.length > 0) yield page
}
