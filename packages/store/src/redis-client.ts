import { Redis, type RedisOptions } from 'ioredis'

import { sentinelOptions } from './redis-sentinel.ts'
import { parseRedisUrl } from './redis-url.ts'

/** ioredis as a proxy needs it: it queues nothing, sends nothing twice, and tries again for ever, with jitter. */
export function openClient(url: string, name: string): Redis {
  const target = parseRedisUrl(url)
  if (target.kind === 'cluster') throw new TypeError('a Redis Cluster has a connection per master')
  const options = {
    connectionName: name,
    connectTimeout: 1000,
    disconnectTimeout: 200,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    retryStrategy: (attempt: number) => Math.min(1000, 25 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2),
    // A master that became a replica: the next connection may lead to the new one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions
  if (target.kind === 'server') return new Redis(url, options)
  return new Redis({ ...options, ...sentinelOptions(target) })
}
