import type { TestProject } from 'vitest/node'

import { findRedis } from './find-redis.ts'

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string
  }
}

/** One Redis for the whole run; tests share it under prefixes of their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await findRedis()
  process.stderr.write(`tests: Redis is ${redis.origin}, ${new URL(redis.url).host}\n`)
  project.provide('redisUrl', redis.url)
  return async () => {
    await redis[Symbol.asyncDispose]()
  }
}
