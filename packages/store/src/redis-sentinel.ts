import type { RedisOptions } from 'ioredis'

import type { SentinelTarget } from './redis-url.ts'

// With a mapping of replies of its own a client would be of another type.
type SentinelOptions = Omit<RedisOptions, 'replyMapping'>

/**
 * How the master is found: each new connection asks the sentinels, one after the other, and leads nowhere but to a
 * server that calls itself a master. `SentinelWatch` ends connections to one that is a master no more.
 */
export function sentinelOptions(target: SentinelTarget): SentinelOptions {
  const { tls, username, password, sentinelUsername, sentinelPassword } = target
  return {
    sentinels: target.sentinels.map(({ host, port }) => ({ host, port })),
    name: target.master,
    role: 'master',
    db: target.database,
    sentinelCommandTimeout: 1000,
    sentinelRetryStrategy: (attempt) => Math.min(1000, 50 * attempt) * (0.5 + Math.random() / 2),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
  }
}
