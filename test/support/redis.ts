import { randomBytes } from 'node:crypto'

import { inject } from 'vitest'

import type {} from './global-setup.ts'
import { LocalRedis, type LocalRedisOptions } from './local-redis.ts'
import { redisServer } from './redis-binary.ts'

/** The Redis that all tests of this run share: never flush it, never count its keys. */
export function redisUrl(): string {
  return inject('redisUrl')
}

/** A key prefix nobody else has, so that tests run side by side on one Redis. */
export function freshPrefix(): string {
  return `t${randomBytes(6).toString('hex')}`
}

/** A Redis of this test's own, to stop, kill, freeze and start again. */
export async function startRedis(options: LocalRedisOptions = {}): Promise<LocalRedis> {
  const binary = redisServer()
  if (!binary) throw new Error('this test stops and starts Redis itself: install redis-server')
  return LocalRedis.start(binary, options)
}
