import { expect, test } from 'vitest'

import { restartDelay } from './restart-delay.ts'

test('workers that keep ending early are replaced more and more slowly', () => {
  let early = 0
  const delays = Array.from({ length: 9 }, () => {
    const wait = restartDelay(50, early)
    early = wait.early
    return wait.delay
  })

  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
})

test('a worker that had settled is replaced soon, whatever came before', () => {
  expect(restartDelay(60_000, 8)).toEqual({ delay: 100, early: 0 })
})
