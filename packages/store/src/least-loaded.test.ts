import { describe, expect, test } from 'vitest'

import { leastLoaded } from './least-loaded.ts'
import type { Candidate } from './store.ts'

const idle = () => 0

describe('the least loaded', () => {
  test('has the least load for its weight', () => {
    const loads: Record<string, number> = { a: 3, b: 5, c: 9 }
    const candidates = [
      { id: 'a', weight: 1 },
      { id: 'b', weight: 2 },
      { id: 'c', weight: 3 },
    ]

    expect(leastLoaded(candidates, (id) => loads[id]!, 1)?.id).toBe('b')
  })

  test('rotates by weight among idle backends', () => {
    const candidates = [1, 2, 1, 3].map((weight, at) => ({ id: `${at}`, weight }))
    const picks = [0, 0, 0, 0]

    for (let turn = 1; turn <= 7000; turn++) picks[Number(leastLoaded(candidates, idle, turn)!.id)]! += 1

    expect(picks).toEqual([1000, 2000, 1000, 3000])
  })

  test('rotates evenly in any stretch of turns', () => {
    const candidates = [1, 1, 1].map((weight, at) => ({ id: `${at}`, weight }))

    for (let from = 0; from < 2 ** 20 + 30; from += 9973) {
      const picked = Array.from({ length: 6 }, (_none, turn) => leastLoaded(candidates, idle, from + turn)!.id)
      expect(new Set(picked).size).toBe(3)
    }
  })

  test('is never one at its limit', () => {
    const candidates: Candidate[] = [
      { id: 'a', weight: 9, limit: 1 },
      { id: 'b', weight: 1, limit: 5 },
    ]

    expect(leastLoaded(candidates, () => 1, 1)?.id).toBe('b')
    expect(leastLoaded(candidates, () => 5, 1)).toBeUndefined()
    expect(leastLoaded([], idle, 1)).toBeUndefined()
  })
})
