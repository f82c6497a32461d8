import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openStore, type Store } from '../../packages/store/src/index.ts'
import type { LocalRedis } from '../support/local-redis.ts'
import { startRedis } from '../support/redis.ts'
import { operatorsContract } from './operators-contract.ts'
import { eventually, storeContract } from './store-contract.ts'

const manual = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8')
/** The rules after the user's name and password, as the manual has them. */
const rules = /^ACL SETUSER sticky on >\S+ (.*)$/m.exec(manual)?.[1]?.split(' ') ?? []

let redis: LocalRedis
let admin: Redis
beforeAll(async () => {
  redis = await startRedis()
  admin = new Redis(redis.url)
})
afterAll(async () => {
  admin.disconnect()
  await redis[Symbol.asyncDispose]()
})

async function user(name: string, ...granted: readonly string[]): Promise<string> {
  await admin.call('ACL', 'SETUSER', name, 'reset', 'on', '>secret', ...granted)
  return `redis://${name}:secret@127.0.0.1:${redis.port}`
}

async function open(url: string): Promise<Store> {
  const store = openStore(url, { commandTimeout: 5000 })
  await eventually(() => store.available && (store.roles?.() ?? []).every(({ available }) => available))
  return store
}

const granted = async () => {
  const url = await user('sticky', ...rules)
  const [store, other] = [await open(url), await open(url)]
  return {
    store,
    other,
    pass: (time: number) => delay(time),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([store[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
    },
  }
}

storeContract('RedisStore with the rights that the manual grants', { concurrent: true }, granted)
operatorsContract('RedisStore with the rights that the manual grants, for operators', granted)

describe('a Redis user', () => {
  test('with the rights that the manual grants is warned of nothing', async () => {
    await using store = await open(await user('sticky', ...rules))

    expect(await store.warnings?.()).toEqual([])
  })

  test('that lacks some is told which', async () => {
    await using store = await open(await user('poor', ...rules, '-hincrby', '-zadd'))

    expect(await store.warnings?.()).toEqual([expect.stringMatching(/lacks rights: HINCRBY .*, ZADD /)])
  })

  test('that may do anything is told what it does not need', async () => {
    await using store = await open(redis.url)

    const [warning] = (await store.warnings?.()) ?? []
    expect(warning).toMatch(/may do more than it needs, such as FLUSHALL, .*CONFIG SET.*GET not-/)
  })

  test('is told of a Redis that throws away what it needs', async () => {
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await using store = await open(await user('sticky', ...rules))

    expect(await store.warnings?.()).toEqual([expect.stringContaining('maxmemory-policy allkeys-lru')])
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
  })
})
