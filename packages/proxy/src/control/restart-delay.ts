import type { Milliseconds } from '@sticky/store'

const shortest: Milliseconds = 100
const longest: Milliseconds = 5000

/** A worker that lived so long ended for another reason than the one before. */
const settled: Milliseconds = 10_000

/** How long to wait before a worker is replaced: doubled while workers keep ending early, so that a crash loop costs little. */
export function restartDelay(
  lived: Milliseconds,
  earlyBefore: number,
): { readonly delay: Milliseconds; readonly early: number } {
  const early = lived < settled ? earlyBefore + 1 : 0
  return { delay: Math.min(longest, shortest * 2 ** Math.max(0, early - 1)), early }
}
