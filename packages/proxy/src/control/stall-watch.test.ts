import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { StallWatch } from './stall-watch.ts'

const LEASE = 6_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function watched() {
  const lines: object[] = []
  const note = (fields: object, event: string): void => void lines.push({ event, ...fields })
  let stalled = 0
  const watch = new StallWatch({ info: note, warn: note, error: note }, LEASE, () => performance.now() + stalled)
  return { lines, stall: (time: number) => (stalled += time), watch }
}

test('a process that did nothing for more than a third of its lease says so, once', () => {
  const { lines, stall, watch } = watched()
  using _ = watch

  vi.advanceTimersByTime(LEASE)
  stall(2_500)
  vi.advanceTimersByTime(LEASE)

  expect(lines).toEqual([{ event: 'process stalled', stalled_ms: 2_500 }])
})

test('one that was busy for less says nothing', () => {
  const { lines, stall, watch } = watched()
  using _ = watch

  for (let turn = 0; turn < 3; turn++) {
    stall(1_900)
    vi.advanceTimersByTime(LEASE)
  }

  expect(lines).toEqual([])
})
