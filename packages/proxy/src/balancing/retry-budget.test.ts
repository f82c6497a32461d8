import { expect, test } from 'vitest'

import { RetryBudget } from './retry-budget.ts'

test('a share of the requests of the last 10 s may be sent again', () => {
  const budget = new RetryBudget({ budget: 0.2, minPerSecond: 0 })
  for (let at = 0; at < 50; at++) budget.sent(at * 100)

  expect(takenOf(budget, 20, 5_000)).toBe(10)
})

test('few requests may be sent again at any rate', () => {
  const budget = new RetryBudget({ budget: 0.2, minPerSecond: 3 })

  expect(takenOf(budget, 40, 0)).toBe(30)
})

test('what is older counts no more', () => {
  const budget = new RetryBudget({ budget: 0.5, minPerSecond: 0 })
  for (let at = 0; at < 10; at++) budget.sent(500)
  expect(takenOf(budget, 10, 900)).toBe(5)
  for (let at = 0; at < 4; at++) budget.sent(9_000)
  expect(takenOf(budget, 10, 9_900)).toBe(2)

  expect(takenOf(budget, 10, 10_000)).toBe(0)
  for (let at = 0; at < 4; at++) budget.sent(60_000)

  expect(takenOf(budget, 10, 60_000)).toBe(2)
})

test('at a budget of nothing nothing is sent again', () => {
  const budget = new RetryBudget({ budget: 0, minPerSecond: 0 })
  budget.sent(0)

  expect(budget.takes(0)).toBe(false)
})

function takenOf(budget: RetryBudget, asked: number, now: number): number {
  return Array.from({ length: asked }, () => budget.takes(now)).filter(Boolean).length
}
