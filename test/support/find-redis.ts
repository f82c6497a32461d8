import { Redis } from 'ioredis'

import { LocalRedis } from './local-redis.ts'
import { redisBinary, redisFromApt } from './redis-binary.ts'

/** A Redis for a whole run of the tests. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string
  /** Where it came from, for people. */
  readonly origin: string
}

/** One sentence for people; where in our code it was thrown tells them nothing. */
class NoRedis extends Error {
  override readonly stack = ''
}

/** The first Redis to be had: the one named, a local one, a container's, apt's; rejects with one sentence when there is none. */
export async function findRedis(): Promise<TestRedis> {
  const found = (await named()) ?? (await local()) ?? (await container()) ?? (await installed())
  if (found) return found
  throw new NoRedis(
    'the tests need Redis 7: set STICKY_TEST_REDIS_URL, or install redis-server, or start a container engine, or run as root on Debian',
  )
}

async function named(): Promise<TestRedis | undefined> {
  const url = process.env.STICKY_TEST_REDIS_URL
  if (!url) return undefined
  await ping(url)
  return { url, origin: 'STICKY_TEST_REDIS_URL', [Symbol.asyncDispose]: async () => {} }
}

async function ping(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 3000 })
  let reason: Error | undefined
  redis.on('error', (error) => {
    reason = error
  })
  try {
    await redis.connect()
    await redis.ping()
  } catch (error) {
    const cause = reason ?? (error as Error)
    throw new NoRedis(`the Redis that STICKY_TEST_REDIS_URL names does not answer: ${cause.message}`)
  } finally {
    redis.disconnect()
  }
}

async function local(): Promise<TestRedis | undefined> {
  const binary = redisBinary()
  return binary ? spawned(binary, 'a local redis-server') : undefined
}

async function installed(): Promise<TestRedis | undefined> {
  const binary = redisFromApt()
  return binary ? spawned(binary, 'a redis-server installed with apt') : undefined
}

/** A service that the package started is left alone: it may be older, configured or full. */
async function spawned(binary: string, origin: string): Promise<TestRedis> {
  const redis = await LocalRedis.start(binary)
  return { url: redis.url, origin, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() }
}

async function container(): Promise<TestRedis | undefined> {
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers')
  try {
    // A docker client without an engine is no engine: this rejects then.
    await getContainerRuntimeClient()
    const redis = await new GenericContainer('redis:7.2').withExposedPorts(6379).start()
    const url = `redis://${redis.getHost()}:${redis.getMappedPort(6379)}`
    return { url, origin: 'a container', [Symbol.asyncDispose]: async () => void (await redis.stop()) }
  } catch {
    return undefined
  }
}
