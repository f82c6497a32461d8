import { type Absent, type MaybePromise, type Row, StoreUnavailable } from '@sticky/store'

/** What is known of a row that nobody can be asked for: nothing. */
export const unasked: Absent = { state: 'absent', version: 0, epoch: 0 }

/** The row that was asked for, or `unasked` when the store is away. */
export function rowOrUnasked(row: MaybePromise<Row>): MaybePromise<Row> {
  return row instanceof Promise ? row.catch(unaskedUnlessBug) : row
}

function unaskedUnlessBug(cause: unknown): Row {
  if (cause instanceof StoreUnavailable) return unasked
  throw cause
}
