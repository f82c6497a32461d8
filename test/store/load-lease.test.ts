import { setImmediate as turn } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { freshPrefix, redisUrl } from '../support/redis.ts'
import { countsOf } from './load-model.ts'
import { SimulatedRedis, type SimulatedWorker } from './load-simulation.ts'

const lease = 1000

/** Lets workers live through so much time; others stand still, as if killed. */
async function live(redis: SimulatedRedis, workers: readonly SimulatedWorker[], duration: number): Promise<void> {
  for (const end = redis.now + duration; redis.now < end; redis.now += 10) {
    for (const worker of workers) await work(redis, worker)
  }
}

async function work(redis: SimulatedRedis, worker: SimulatedWorker): Promise<void> {
  worker.fireTimers()
  while (worker.sent.length > 0) {
    const command = worker.sent.shift()!
    await redis.execute(command)
    worker.executed.push(command)
    worker.answer()
    await turn()
  }
}

async function totals(redis: SimulatedRedis): Promise<Record<string, number>> {
  return Object.fromEntries(countsOf((await redis.snapshot()).load))
}

async function cluster(size: number) {
  const redis = new SimulatedRedis(redisUrl(), freshPrefix())
  const workers = Array.from({ length: size }, () => redis.addWorker())
  for (const worker of workers) worker.begin('a')
  await live(redis, workers, 300)
  return { redis, workers }
}

test('a lone survivor takes a dead worker out within its lease and a beat', async () => {
  const { redis, workers } = await cluster(2)
  await using _end = redis
  const died = redis.now

  while ((await totals(redis)).a === 2) await live(redis, workers.slice(1), 10)

  expect(redis.now - died).toBeGreaterThan(lease - lease / 5)
  expect(redis.now - died).toBeLessThan(lease + lease / 5)
})

test('many that died together are gone soon after their lease', async () => {
  const { redis, workers } = await cluster(20)
  await using _end = redis

  await live(redis, workers.slice(19), 2 * lease)

  expect(await totals(redis)).toEqual({ a: 1 })
})

test('after a stall the living are heard before anybody is reaped', async () => {
  const { redis, workers } = await cluster(3)
  await using _end = redis
  const [first, second] = workers as [SimulatedWorker, SimulatedWorker]

  redis.now += 5 * lease
  await live(redis, [first], lease - 100)
  expect(await totals(redis)).toEqual({ a: 3 })
  await live(redis, [first, second], 400)

  expect(await totals(redis)).toEqual({ a: 2 })
})

test('a clock set back delays a reap by a lease, not by as much as it was set back', async () => {
  const { redis, workers } = await cluster(3)
  await using _end = redis

  redis.skew = -3_600_000
  await live(redis, workers.slice(1), lease)
  expect(await totals(redis)).toEqual({ a: 3 })
  await live(redis, workers.slice(1), lease)

  expect(await totals(redis)).toEqual({ a: 2 })
})

test('a clock set forward reaps none of the living', async () => {
  const { redis, workers } = await cluster(3)
  await using _end = redis
  const leases = async () => Object.keys((await redis.snapshot()).load).filter((field) => field.startsWith('@'))

  redis.skew = 3_600_000
  for (let step = 0; step < 2 * lease; step += 10) {
    await live(redis, workers, 10)
    expect(await leases()).toHaveLength(3)
  }
})
