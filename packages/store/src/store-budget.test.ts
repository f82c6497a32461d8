import { setTimeout as delay } from 'node:timers/promises'

import { expect, test } from 'vitest'
import { StoreUnavailable } from './store.ts'
import { StoreBudget } from './store-budget.ts'

const answerIn = async (wait: number): Promise<string> => {
  await delay(wait)
  return 'an answer'
}

test('answers that come one after the other have one time limit', async () => {
  const budget = new StoreBudget(100)
  const began = performance.now()

  expect(await budget.within(answerIn(70))).toBe('an answer')
  await expect(budget.within(answerIn(70))).rejects.toBeInstanceOf(StoreUnavailable)
  await expect(budget.within(answerIn(0))).rejects.toBeInstanceOf(StoreUnavailable)

  const took = performance.now() - began
  expect(took).toBeGreaterThanOrEqual(99)
  expect(took).toBeLessThan(138)
})

test('answers waited for at once count once, and the time between waits does not', async () => {
  const budget = new StoreBudget(200)

  await Promise.all([60, 50, 40].map((wait) => budget.within(answerIn(wait))))
  await delay(150)

  expect(await budget.within(answerIn(60))).toBe('an answer')
})

test('what comes too late is told, for somebody may have to give it back', async () => {
  const late = Promise.withResolvers<string>()

  await expect(new StoreBudget(10).within(answerIn(30), late.resolve)).rejects.toBeInstanceOf(StoreUnavailable)

  expect(await late.promise).toBe('an answer')
})

test('a failure of the store is handed on', async () => {
  const failure = new StoreUnavailable('gone')

  await expect(new StoreBudget(10).within(Promise.reject(failure))).rejects.toBe(failure)
})

test('whose budget is renewed may wait again', async () => {
  const budget = new StoreBudget(20)
  await budget.within(answerIn(40)).catch(() => {})

  budget.renew()

  expect(await budget.within(answerIn(1))).toBe('an answer')
})
