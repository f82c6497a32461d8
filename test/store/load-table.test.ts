import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'

import { loadScripts } from '../../packages/store/src/load-scripts.ts'
import { MemoryLoadTable } from '../../packages/store/src/memory-load-table.ts'
import { RedisConnection } from '../../packages/store/src/redis-connection.ts'
import { RedisLoadTable } from '../../packages/store/src/redis-load-table.ts'
import { type Candidate, StoreUnavailable } from '../../packages/store/src/store.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { freshPrefix, redisUrl, startRedis } from '../support/redis.ts'
import { loadTableContract } from './load-table-contract.ts'

const candidates: Candidate[] = [
  { id: 'a', weight: 1 },
  { id: 'b', weight: 1 },
]
const lease = 400

/** A worker: a table on a connection of its own. */
class Worker implements AsyncDisposable {
  readonly connection: RedisConnection
  readonly table: RedisLoadTable

  private constructor(url: string, prefix: string, commandTimeout: number) {
    this.connection = new RedisConnection(url, { commandTimeout, scripts: Object.values(loadScripts) })
    this.table = new RedisLoadTable(this.connection, { prefix, lease })
  }

  static async start(prefix: string, url: string = redisUrl(), commandTimeout = 1000): Promise<Worker> {
    const worker = new Worker(url, prefix, commandTimeout)
    await worker.ready()
    return worker
  }

  async ready(): Promise<void> {
    await expect.poll(() => this.connection.available, { timeout: 5000 }).toBe(true)
  }

  /** As kill -9 would: no word of leave. */
  kill(): Promise<void> {
    return this.connection[Symbol.asyncDispose]()
  }

  async totals(): Promise<Record<string, number>> {
    return Object.fromEntries(await this.table.totals('p'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.table[Symbol.asyncDispose]()
    await this.connection[Symbol.asyncDispose]()
  }
}

loadTableContract('a memory load table', async () => new MemoryLoadTable())

loadTableContract('a Redis load table', async () => {
  const { connection, table } = await Worker.start(freshPrefix())
  return Object.assign(table, {
    [Symbol.asyncDispose]: async () => {
      await RedisLoadTable.prototype[Symbol.asyncDispose].call(table)
      await connection[Symbol.asyncDispose]()
    },
  })
})

describe('load tables of several workers', () => {
  test('choose by the sum of what all of them carry', async () => {
    const prefix = freshPrefix()
    await using one = await Worker.start(prefix)
    await using other = await Worker.start(prefix)
    for (let exchange = 0; exchange < 5; exchange++) one.table.begin('p', 'a')
    await one.totals()

    const chosen = await Promise.all(Array.from({ length: 7 }, () => other.table.reserve('p', candidates)))

    expect(chosen.filter((id) => id === 'b')).toHaveLength(6)
    expect(await one.totals()).toEqual({ a: 6, b: 6 })
  })

  test('never give one place to two newcomers', async () => {
    const prefix = freshPrefix()
    await using one = await Worker.start(prefix)
    await using other = await Worker.start(prefix)
    const places = [{ id: 'a', weight: 1, limit: 10 }]

    const chosen = await Promise.all(
      Array.from({ length: 40 }, (_none, at) => (at % 2 ? one : other).table.reserve('p', places)),
    )

    expect(chosen.filter((id) => id === 'a')).toHaveLength(10)
  })

  test('lose a worker that leaves at once', async () => {
    const prefix = freshPrefix()
    await using watcher = await Worker.start(prefix)
    const leaving = await Worker.start(prefix)
    leaving.table.begin('p', 'a')
    await expect.poll(() => watcher.totals()).toEqual({ a: 1 })

    await leaving[Symbol.asyncDispose]()

    expect(await watcher.totals()).toEqual({})
  })

  test('lose a worker that was killed when its lease has lapsed', async () => {
    const prefix = freshPrefix()
    await using watcher = await Worker.start(prefix)
    const killed = await Worker.start(prefix)
    watcher.table.begin('p', 'b')
    killed.table.begin('p', 'a')
    await killed.table.reserve('p', [{ id: 'c', weight: 1 }])
    await expect.poll(() => watcher.totals()).toEqual({ a: 1, b: 1, c: 1 })

    await killed.kill()
    const died = performance.now()

    await expect.poll(() => watcher.totals(), { timeout: 5000, interval: 10 }).toEqual({ b: 1 })
    expect(performance.now() - died).toBeLessThan(lease + 1000)
  })

  test('keep two keys for a pool that one of them used, and none for others', async () => {
    const prefix = freshPrefix()
    await using worker = await Worker.start(prefix)
    await worker.table.reserve('p', candidates)
    const redis = new Redis(redisUrl())

    const keys = await redis.keys(`${prefix}*`)

    expect(keys).toHaveLength(2)
    expect(keys.every((key) => key.includes('{p}:load'))).toBe(true)
    redis.disconnect()
  })
})

describe('a Redis load table', () => {
  test('gives a grant back that came after its time', async () => {
    await using proxy = await FaultProxy.to({ port: Number(new URL(redisUrl()).port) })
    const prefix = freshPrefix()
    await using worker = await Worker.start(prefix, `redis://127.0.0.1:${proxy.port}`, 150)
    await using watcher = await Worker.start(prefix)
    await worker.table.reserve('p', candidates)

    proxy.holdReplies()
    await expect(worker.table.reserve('p', candidates)).rejects.toBeInstanceOf(StoreUnavailable)
    expect(await watcher.totals()).toEqual({ a: 1, b: 1 })
    proxy.flow()

    await expect.poll(async () => Object.values(await watcher.totals())).toEqual([1])
  })

  test('fails soon and counts nothing twice when the reply to a reserve is lost', async () => {
    await using proxy = await FaultProxy.to({ port: Number(new URL(redisUrl()).port) })
    const prefix = freshPrefix()
    await using worker = await Worker.start(prefix, `redis://127.0.0.1:${proxy.port}`)
    await using watcher = await Worker.start(prefix)
    await worker.table.reserve('p', [{ id: 'a', weight: 1 }])

    const cut = proxy.cutAtNextReply()
    await expect(worker.table.reserve('p', [{ id: 'b', weight: 1 }])).rejects.toBeInstanceOf(StoreUnavailable)
    await cut

    await expect.poll(() => watcher.totals()).toEqual({ a: 1 })
    await worker.ready()
    expect(await worker.table.reserve('p', candidates)).toBe('b')
  })

  test('is right again after Redis was restarted empty', async () => {
    await using redis = await startRedis()
    const prefix = freshPrefix()
    await using one = await Worker.start(prefix, redis.url)
    await using other = await Worker.start(prefix, redis.url)
    one.table.begin('p', 'a')
    other.table.begin('p', 'a')
    await expect.poll(() => one.totals()).toEqual({ a: 2 })

    await redis.kill()
    await expect.poll(() => one.connection.available).toBe(false)
    await expect(one.table.reserve('p', candidates)).rejects.toBeInstanceOf(StoreUnavailable)
    one.table.begin('p', 'b')
    other.table.end('p', 'a')
    await redis.start()

    await expect.poll(() => one.totals().catch(() => 'away'), { timeout: 8000 }).toEqual({ a: 1, b: 1 })
  })

  test('makes up for a flush before the next pick is answered', async () => {
    await using redis = await startRedis()
    await using worker = await Worker.start(freshPrefix(), redis.url)
    const admin = new Redis(redis.url)
    worker.table.begin('p', 'a')
    expect(await worker.totals()).toEqual({ a: 1 })

    await admin.flushall()

    expect(await worker.table.reserve('p', candidates)).toBe('b')
    expect(await worker.totals()).toEqual({ a: 1, b: 1 })
    admin.disconnect()
  })

  test('goes on when Redis has forgotten the scripts, and when it is full', async () => {
    await using redis = await startRedis()
    await using worker = await Worker.start(freshPrefix(), redis.url)
    const admin = new Redis(redis.url)
    await worker.table.reserve('p', candidates)

    await admin.script('FLUSH')
    const chosen = await Promise.all(Array.from({ length: 3 }, () => worker.table.reserve('p', candidates)))
    await admin.config('SET', 'maxmemory', '1mb')
    await expect(admin.set('more', 'of it')).rejects.toThrow('OOM')
    chosen.push(await worker.table.reserve('p', candidates), await worker.table.reserve('p', candidates))

    expect(chosen.filter((id) => id !== undefined)).toHaveLength(5)
    expect(await worker.totals()).toEqual({ a: 3, b: 3 })
    admin.disconnect()
  })
})
