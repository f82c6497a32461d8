import { StoreUnavailable } from '@sticky/store'

/** What the store answers, or null while it is away. */
export async function unlessAway<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof StoreUnavailable) return null
    throw error
  }
}
