import { type Absent, type MaybePromise, type Row, type StoreBudget, StoreUnavailable } from '@sticky/store'

/** What is known of a row that nobody can be asked for: nothing. */
export const unasked: Absent = { state: 'absent', version: 0, epoch: 0 }

/** The row that was asked for, or `unasked` when the store is away, or too slow. */
export function rowOrUnasked(row: MaybePromise<Row>, budget: StoreBudget): MaybePromise<Row> {
  return row instanceof Promise ? budget.within(row).catch(unaskedUnlessBug) : row
}

/** The answer, or undefined when the store is away, or too slow. */
export async function orAway<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer
  } catch (cause) {
    if (cause instanceof StoreUnavailable) return undefined
    throw cause
  }
}

function unaskedUnlessBug(cause: unknown): Row {
  if (cause instanceof StoreUnavailable) return unasked
  throw cause
}
