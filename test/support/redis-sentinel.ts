import { Redis } from 'ioredis'

import { eventually } from './eventually.ts'
import type { LocalRedis } from './local-redis.ts'
import { startRedis } from './redis.ts'

/** A master, its replica and three sentinels that take a master for dead after a second, on loopback. */
export interface SentinelRedis extends AsyncDisposable {
  readonly url: string
  readonly master: LocalRedis
  readonly replica: LocalRedis
  readonly sentinels: readonly LocalRedis[]
}

/** Starts them; resolves when the replica follows and every sentinel knows of all others. */
export async function startSentinelRedis(): Promise<SentinelRedis> {
  await using started = new AsyncDisposableStack()
  const master = started.use(await startRedis())
  const replica = started.use(await startRedis({ settings: ['--replicaof', '127.0.0.1', `${master.port}`] }))
  await eventually(
    () => asked(master, (redis) => redis.info('replication')),
    (info) => info.includes('state=online'),
  )
  const sentinels = await Promise.all([0, 1, 2].map(() => startRedis({ sentinel: watching(master) })))
  for (const sentinel of sentinels) started.use(sentinel)
  await Promise.all(sentinels.map(knowsAll))
  const all = started.move()
  const addresses = sentinels.map(({ port }) => `127.0.0.1:${port}`)
  return {
    url: `redis+sentinel://${addresses.join(',')}/mymaster`,
    ...{ master, replica, sentinels },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

function watching({ port }: LocalRedis): string {
  return `sentinel monitor mymaster 127.0.0.1 ${port} 2
sentinel down-after-milliseconds mymaster 1000
sentinel failover-timeout mymaster 5000
`
}

async function knowsAll(sentinel: LocalRedis): Promise<void> {
  await eventually(
    () => asked(sentinel, (redis) => redis.info('sentinel')),
    (info) => info.includes('status=ok') && info.includes('slaves=1,sentinels=3'),
  )
}

async function asked<T>({ url }: LocalRedis, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url)
  try {
    return await ask(redis)
  } finally {
    redis.disconnect()
  }
}
