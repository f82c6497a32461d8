import type { RedisConnection } from './redis-connection.ts'
import { type Milliseconds, StoreUnavailable } from './store.ts'

/** Resolves as soon as the connection may be asked; rejects with `StoreUnavailable` when it takes longer than that. */
export async function untilAvailable(connection: RedisConnection, limit: Milliseconds): Promise<void> {
  if (connection.available) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new StoreUnavailable(connection.state.reason)), limit)
  const waiting = connection.onAvailability((is) => is && resolve())
  try {
    await promise
  } finally {
    clearTimeout(timer)
    waiting.off()
  }
}
