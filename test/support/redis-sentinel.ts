import { Redis } from 'ioredis'

import { eventually } from './eventually.ts'
import type { LocalRedis } from './local-redis.ts'
import { startRedis } from './redis.ts'

/** A master, its replicas and three sentinels that take a master for dead after a second, on loopback. */
export interface SentinelRedis extends AsyncDisposable {
  readonly url: string
  readonly master: LocalRedis
  readonly replicas: readonly LocalRedis[]
  readonly sentinels: readonly LocalRedis[]
}

export interface SentinelRedisOptions {
  /** One by default. */
  readonly replicas?: number | undefined
  /** What clients of the servers must show, and other than that of the sentinels. */
  readonly passwords?: { readonly server: string; readonly sentinel: string } | undefined
}

/** Starts them; resolves when the replicas follow and every sentinel knows of all others. */
export async function startSentinelRedis({
  replicas: number = 1,
  passwords,
}: SentinelRedisOptions = {}): Promise<SentinelRedis> {
  await using started = new AsyncDisposableStack()
  const secret = passwords === undefined ? [] : ['--requirepass', passwords.server, '--masterauth', passwords.server]
  const master = started.use(await startRedis({ settings: secret }))
  const following = [...secret, '--replicaof', '127.0.0.1', `${master.port}`]
  const replicas = await Promise.all(Array.from({ length: number }, () => startRedis({ settings: following })))
  for (const replica of replicas) started.use(replica)
  await eventually(
    () => asked(master, passwords?.server, (redis) => redis.info('replication')),
    (info) => info.split('state=online').length - 1 === number,
  )
  const sentinels = await Promise.all([0, 1, 2].map(() => startRedis({ sentinel: watching(master, passwords) })))
  for (const sentinel of sentinels) started.use(sentinel)
  await Promise.all(sentinels.map((sentinel) => knowsAll(sentinel, passwords?.sentinel, number)))
  const all = started.move()
  const addresses = sentinels.map(({ port }) => `127.0.0.1:${port}`)
  const user = passwords === undefined ? '' : `:${encodeURIComponent(passwords.server)}@`
  const options = passwords === undefined ? '' : `?sentinelPassword=${encodeURIComponent(passwords.sentinel)}`
  return {
    url: `redis+sentinel://${user}${addresses.join(',')}/mymaster${options}`,
    ...{ master, replicas, sentinels },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

function watching({ port }: LocalRedis, passwords: SentinelRedisOptions['passwords']): string {
  const secrets = passwords && [`sentinel auth-pass mymaster ${passwords.server}`, `requirepass ${passwords.sentinel}`]
  return [
    `sentinel monitor mymaster 127.0.0.1 ${port} 2`,
    'sentinel down-after-milliseconds mymaster 1000',
    'sentinel failover-timeout mymaster 5000',
    ...(secrets ?? []),
    '',
  ].join('\n')
}

async function knowsAll(sentinel: LocalRedis, password: string | undefined, replicas: number): Promise<void> {
  await eventually(
    () => asked(sentinel, password, (redis) => redis.info('sentinel')),
    (info) => info.includes('status=ok') && info.includes(`slaves=${replicas},sentinels=3`),
  )
}

async function asked<T>(
  { port }: LocalRedis,
  password: string | undefined,
  ask: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({ port, ...(password !== undefined && { password }) })
  try {
    return await ask(redis)
  } finally {
    redis.disconnect()
  }
}
