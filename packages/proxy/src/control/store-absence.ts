import { type Milliseconds, type Store, StoreUnavailable } from '@sticky/store'

/** What the store answers, or null while it is away. */
export async function unlessAway<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof StoreUnavailable) return null
    throw error
  }
}

/** Waits for the store to be there, but not for ever: without it known sessions can still be served. */
export async function untilAvailable(store: Store, atMost: Milliseconds): Promise<void> {
  if (store.available) return
  const { promise, resolve } = Promise.withResolvers<void>()
  store.onAvailability(() => resolve())
  const timer = setTimeout(resolve, atMost)
  await promise
  clearTimeout(timer)
}
