import { StoreUnavailable } from '@sticky/store'
import { expect, test } from 'vitest'

import type { Backend } from '../upstream/backend.ts'
import { backend, FakeLoad } from './fakes.test-support.ts'
import { Queue, type Waiter } from './queue.ts'

const terms = { max: 3, timeout: 5_000 }
const a = backend('a', { limit: 1 })
const b = backend('b', { limit: 1 })

test('an exchange that ends lets the first try that its backend would serve', async () => {
  const { queue, endOfTurn } = waiting()
  const [home, first, second] = [new Waits([b]), new Waits([a, b]), new Waits([a, b])]
  for (const waiter of [home, first, second]) queue.join(waiter, terms, 0, 0)

  queue.freed(a)
  endOfTurn()

  expect([home.tries, first.tries, second.tries]).toEqual([0, 1, 0])
})

test('as many try as exchanges have ended, and none twice at once', () => {
  const { queue, endOfTurn } = waiting()
  const waiters = [new Waits([a]), new Waits([a]), new Waits([a])]
  for (const waiter of waiters) queue.join(waiter, terms, 0, 0)

  queue.freed(a)
  queue.freed(a)
  endOfTurn()

  expect(waiters.map(({ tries }) => tries)).toEqual([1, 1, 0])
})

test('who tried in vain is still before those that came later', () => {
  const { queue, endOfTurn } = waiting()
  const [first, second] = [new Waits([a]), new Waits([a])]
  queue.join(first, terms, 0, 0)
  queue.join(second, terms, 0, 0)
  queue.freed(a)
  endOfTurn()

  queue.stays(first)
  queue.freed(a)
  endOfTurn()

  expect([first.tries, second.tries]).toEqual([2, 0])
})

test('room that other processes make is seen by looking at the totals', async () => {
  const { queue, load, elapse } = waiting()
  load.inFlight.set('a', 1)
  load.inFlight.set('b', 1)
  const [first, second] = [new Waits([a, b]), new Waits([a, b])]
  queue.join(first, terms, 0, 0)
  queue.join(second, terms, 0, 0)
  await elapse(150)
  expect([first.tries, second.tries]).toEqual([0, 0])

  load.inFlight.set('b', 0)
  await elapse(100)

  expect([first.tries, second.tries]).toEqual([1, 0])
})

test('without the store this process looks at its own numbers', async () => {
  const { queue, load, elapse } = waiting()
  load.totals = () => Promise.reject(new StoreUnavailable('test'))
  load.inFlight.set('a', 1)
  const waiter = new Waits([a, b])
  queue.join(waiter, terms, 0, 0)

  await elapse(150)

  expect(waiter.tries).toBe(1)
})

test('there are so many places, and one that is left is free', () => {
  const { queue } = waiting()
  const waiters = Array.from({ length: 3 }, () => new Waits([a]))
  const joined = waiters.map((waiter) => queue.join(waiter, terms, 0, 0))

  expect([...joined, queue.join(new Waits([a]), terms, 0, 0)]).toEqual([true, true, true, false])
  queue.leave(waiters[1]!)
  expect(queue.length).toBe(2)
  expect(queue.join(new Waits([a]), terms, 0, 0)).toBe(true)
})

test('who waits too long is told, what was waited before included, and nobody else', async () => {
  const { queue, elapse } = waiting()
  const [long, short] = [new Waits([]), new Waits([])]
  queue.join(long, terms, 0, 0)
  queue.join(short, terms, 4_000, 0)

  await elapse(1_200)
  expect([long.isOver, short.isOver]).toEqual([false, true])
  await elapse(4_000)

  expect(long.isOver).toBe(true)
  expect(queue.join(new Waits([a]), terms, 5_000, 0)).toBe(false)
})

test('leaving tells how long it was', async () => {
  const { queue, elapse } = waiting()
  const waiter = new Waits([])
  queue.join(waiter, terms, 0, 0)

  await elapse(300)

  expect(queue.leave(waiter)).toBe(300)
  expect(queue.leave(waiter)).toBe(0)
})

test('who is to pause tries no sooner', async () => {
  const { queue, elapse } = waiting()
  const waiter = new Waits([a])
  queue.join(waiter, terms, 0, 400)

  await elapse(350)
  expect(waiter.tries).toBe(0)
  await elapse(200)

  expect(waiter.tries).toBe(1)
})

test('a newcomer is behind whoever takes any backend, a session behind whoever would take its home', () => {
  const { queue } = waiting()
  expect(queue.isBefore(undefined)).toBe(false)
  const barred = new Waits([a], false)
  queue.join(barred, terms, 0, 0)
  expect([queue.isBefore(undefined), queue.isBefore(a), queue.isBefore(b)]).toEqual([false, true, false])

  queue.join(new Waits([a, b]), terms, 0, 0)

  expect([queue.isBefore(undefined), queue.isBefore(b)]).toEqual([true, true])
})

test('nothing ticks while nobody waits', async () => {
  const { queue, timers } = waiting()
  const waiter = new Waits([])
  queue.join(waiter, terms, 0, 0)
  expect(timers.size).toBe(1)

  queue.leave(waiter)

  expect(timers.size).toBe(0)
})

class Waits implements Waiter {
  readonly awaited: readonly Backend[]
  readonly takesAny: boolean
  tries = 0
  isOver = false

  constructor(awaited: readonly Backend[], takesAny = true) {
    this.awaited = awaited
    this.takesAny = takesAny
  }

  tryAgain(): void {
    this.tries++
  }

  timedOut(): void {
    this.isOver = true
  }
}

/** A queue in a time of its own. */
function waiting() {
  const load = new FakeLoad()
  const timers = new Map<() => void, number>()
  let now = 1_000
  const after = (delay: number, callback: () => void): (() => void) => {
    const timer = (): void => callback()
    timers.set(timer, now + delay)
    return () => timers.delete(timer)
  }
  const queue = new Queue('shop', { load, clock: () => now, random: () => 0.5, after })
  const fire = (): void => {
    for (const [timer, due] of [...timers]) if (due <= now && timers.delete(timer)) timer()
  }
  const elapse = async (time: number): Promise<void> => {
    for (const end = now + time; now < end; now += 50) {
      fire()
      await new Promise(setImmediate)
    }
    fire()
    await new Promise(setImmediate)
  }
  return { queue, load, timers, elapse, endOfTurn: fire }
}
