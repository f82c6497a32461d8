import { setTimeout as delay } from 'node:timers/promises'

import type { Milliseconds } from './times.ts'

/** How a stream of rows is cut into pages: at `size` rows, or when `patience` has passed since the page's first row. */
export interface Paging {
  readonly size: number
  readonly patience: Milliseconds
}

/** Cuts rows into pages without waiting for the end and without holding more than one page. */
export async function* pages<Row>(rows: AsyncIterable<Row>, { size, patience }: Paging): AsyncGenerator<Row[]> {
  const source = rows[Symbol.asyncIterator]()
  let next = source.next()
  try {
    for (let first = await next; !first.done; first = await next) {
      const page = [first.value]
      const timeout = new AbortController()
      const late = delay(patience, undefined, { signal: timeout.signal }).catch(() => undefined)
      next = source.next()
      while (page.length < size) {
        const row = await Promise.race([next, late])
        if (row === undefined || row.done) break
        page.push(row.value)
        next = source.next()
      }
      timeout.abort()
      yield page
    }
  } finally {
    next.catch(() => {})
    await source.return?.()
  }
}
