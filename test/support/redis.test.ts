import { Redis } from 'ioredis'
import { expect, test } from 'vitest'

import { freshPrefix, redisUrl, startRedis } from './redis.ts'

test('the shared Redis answers, and every prefix is new', async () => {
  const redis = new Redis(redisUrl())

  expect(await redis.ping()).toBe('PONG')
  expect(freshPrefix()).not.toBe(freshPrefix())

  redis.disconnect()
})

test('a Redis of its own comes back empty on the same port after it was killed', async () => {
  await using server = await startRedis()
  const redis = new Redis(server.url, { retryStrategy: () => null })
  await redis.set('key', 'value')

  await server.kill()
  await expect(redis.ping()).rejects.toThrow()
  await server.start()

  await redis.connect()
  expect(await redis.get('key')).toBeNull()
  redis.disconnect()
})

test('a frozen Redis keeps connections and answers when it thaws', async () => {
  await using server = await startRedis()
  const redis = new Redis(server.url)
  await redis.ping()

  server.pause()
  let answered = false
  const pong = redis.ping().then(() => {
    answered = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(answered).toBe(false)
  server.resume()

  await pong
  redis.disconnect()
})
