import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { Deadlines, type Timed } from './deadlines.ts'

/** Waits, and notes the moments at which it waited too long. */
class Waiter implements Timed {
  deadline = 0
  readonly expirations: number[] = []

  expired(): void {
    this.expirations.push(performance.now())
  }
}

describe('deadlines', () => {
  let deadlines: Deadlines
  let waiter: Waiter

  beforeEach(() => {
    vi.useFakeTimers()
    deadlines = new Deadlines()
    waiter = new Waiter()
    deadlines.add(waiter)
  })

  afterEach(() => {
    deadlines[Symbol.dispose]()
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  /** Moves the clock without letting a timer fire: this process stands still. */
  function stall(milliseconds: number): void {
    const later = performance.now() + milliseconds
    vi.spyOn(performance, 'now').mockImplementation(() => later)
  }

  test('expire once, never early, and late by two ticks at most', () => {
    vi.advanceTimersByTime(130)
    const begun = performance.now()
    waiter.deadline = deadlines.in(1_000)

    vi.advanceTimersByTime(5_000)

    expect(waiter.expirations).toHaveLength(1)
    expect(waiter.expirations[0]! - begun).toBeGreaterThanOrEqual(1_000)
    expect(waiter.expirations[0]! - begun).toBeLessThanOrEqual(1_200)
    expect(waiter.deadline).toBe(0)
  })

  test('may be moved, and taken back', () => {
    waiter.deadline = deadlines.in(300)
    vi.advanceTimersByTime(200)
    waiter.deadline = deadlines.in(300)
    vi.advanceTimersByTime(200)
    waiter.deadline = 0

    vi.advanceTimersByTime(2_000)

    expect(waiter.expirations).toHaveLength(0)
  })

  test('are of no concern to whoever has left', () => {
    waiter.deadline = deadlines.in(300)
    deadlines.delete(waiter)

    vi.advanceTimersByTime(2_000)

    expect(waiter.expirations).toHaveLength(0)
  })

  test('may be set anew while they are looked over', () => {
    const again = new Waiter()
    again.expired = function expired() {
      Waiter.prototype.expired.call(this)
      this.deadline = deadlines.in(300)
    }
    deadlines.add(again)
    again.deadline = deadlines.in(100)

    vi.advanceTimersByTime(1_200)

    expect(again.expirations.length).toBe(3)
  })

  test('do not count the time in which this process stood still', () => {
    const before = new Waiter()
    deadlines.add(before)
    before.deadline = deadlines.in(2_000)

    stall(8_000)
    waiter.deadline = deadlines.in(2_000)
    vi.advanceTimersByTime(100)

    expect(before.expirations).toHaveLength(0)
    expect(waiter.expirations).toHaveLength(0)
  })
})
