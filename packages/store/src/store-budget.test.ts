import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StoreUnavailable } from './store.ts'
import { StoreBudget } from './store-budget.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** What has arrived by then is read first: this clock takes a turn of the event loop for a millisecond. */
const turn = 1

const answerIn = (wait: number): Promise<string> => new Promise((resolve) => setTimeout(resolve, wait, 'an answer'))
const pass = (time: number) => vi.advanceTimersByTimeAsync(time)
const outcome = (asked: Promise<string>): Promise<string> =>
  asked.catch((failure: unknown) => (failure instanceof StoreUnavailable ? 'too late' : 'a bug'))

/** What comes of a wait, and when. */
async function timed(asked: Promise<string>): Promise<[string, number]> {
  const began = performance.now()
  const told = outcome(asked).then((what): [string, number] => [what, Math.round(performance.now() - began)])
  await pass(1000)
  return await told
}

test('answers that come one after the other have one time limit', async () => {
  const budget = new StoreBudget(100)

  expect(await timed(budget.within(answerIn(70)))).toEqual(['an answer', 70])
  expect(await timed(budget.within(answerIn(70)))).toEqual(['too late', 30 + turn])
  expect(await timed(budget.within(answerIn(1)))).toEqual(['too late', 0])
})

test('answers waited for at once count once, and the time between waits does not', async () => {
  const budget = new StoreBudget(100)

  const all = [60, 50, 40].map((wait) => outcome(budget.within(answerIn(wait))))
  await pass(500)

  expect(await Promise.all(all)).toEqual(['an answer', 'an answer', 'an answer'])
  expect(await timed(budget.within(answerIn(39)))).toEqual(['an answer', 39])
})

test('what comes too late is told, for somebody may have to give it back', async () => {
  const late: string[] = []

  expect(await timed(new StoreBudget(10).within(answerIn(30), (answer) => late.push(answer)))).toEqual([
    'too late',
    10 + turn,
  ])

  expect(late).toEqual(['an answer'])
})

test('a failure of the store is handed on', async () => {
  const failure = new StoreUnavailable('gone')

  await expect(new StoreBudget(10).within(Promise.reject(failure))).rejects.toBe(failure)
})

test('a budget that is renewed lets wait again', async () => {
  const budget = new StoreBudget(20)
  await timed(budget.within(answerIn(40)))

  budget.renew()

  expect(await timed(budget.within(answerIn(15)))).toEqual(['an answer', 15])
})
