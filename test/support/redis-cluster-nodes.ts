import { Redis } from 'ioredis'

import { eventually } from './eventually.ts'
import { freePort, type LocalRedis } from './local-redis.ts'
import { startRedis } from './redis.ts'

const slots = 16384

type Argument = string | number | Buffer

export interface RedisClusterOptions {
  readonly masters?: number | undefined
  /** Replicas of each master. */
  readonly replicas?: number | undefined
}

/** A Redis Cluster on loopback that takes a master for dead after a second. */
export interface RedisClusterNodes extends AsyncDisposable {
  readonly url: string
  /** Those that began as masters, with equal shares of the slots in their order. */
  readonly masters: readonly LocalRedis[]
  /** Those that began as their replicas, in the same order. */
  readonly replicas: readonly LocalRedis[]
  /** Asks one of them. */
  ask(node: LocalRedis, command: string, ...args: Argument[]): Promise<unknown>
  /** The same, with replies as Buffers. */
  askForBuffers(node: LocalRedis, command: string, ...args: Argument[]): Promise<unknown>
}

/** Starts it; resolves when every node knows of all slots and the replicas follow. Three masters by default. */
export async function startRedisCluster({
  masters = 3,
  replicas = 0,
}: RedisClusterOptions = {}): Promise<RedisClusterNodes> {
  await using started = new AsyncDisposableStack()
  const nodes = await Promise.all(Array.from({ length: masters * (1 + replicas) }, startNode))
  for (const { redis } of nodes) started.use(redis)
  const clients = new Map(nodes.map(({ redis }) => [redis, started.adopt(connected(redis), (it) => it.disconnect())]))
  const ask = (node: LocalRedis, command: string, ...args: Argument[]) => clients.get(node)!.call(command, args)
  const serving = nodes.slice(0, masters)
  const following = nodes.slice(masters)

  await Promise.all(serving.map(({ redis }, at) => ask(redis, 'cluster', 'addslotsrange', ...share(at, masters))))
  for (const { redis, bus } of nodes.slice(1))
    await ask(nodes[0]!.redis, 'cluster', 'meet', '127.0.0.1', redis.port, bus)
  for (const { redis } of nodes)
    await eventually(
      () => ask(redis, 'cluster', 'nodes'),
      (known) => linesOf(known) === nodes.length,
    )
  await Promise.all(
    following.map(async ({ redis }, at) => {
      const id = await ask(serving[at % masters]!.redis, 'cluster', 'myid')
      await eventually(
        () => ask(redis, 'cluster', 'replicate', String(id)).catch(String),
        (answer) => answer === 'OK',
      )
    }),
  )
  for (const { redis } of nodes)
    await eventually(
      () => ask(redis, 'cluster', 'info'),
      (info) => /^cluster_state:ok/.test(String(info)),
    )
  for (const { redis } of following)
    await eventually(
      () => ask(redis, 'info', 'replication'),
      (info) => String(info).includes('master_link_status:up'),
    )
  const all = started.move()
  return {
    url: `redis+cluster://${nodes
      .slice(0, 2)
      .map(({ redis }) => `127.0.0.1:${redis.port}`)
      .join(',')}`,
    masters: serving.map(({ redis }) => redis),
    replicas: following.map(({ redis }) => redis),
    ask,
    askForBuffers: (node, command, ...args) => clients.get(node)!.callBuffer(command, args),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function startNode(): Promise<{ redis: LocalRedis; bus: number }> {
  const bus = await freePort()
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', `${bus}`]
  // By default a cluster that lacks one slot refuses them all.
  const partial = ['--cluster-require-full-coverage', 'no']
  return { redis: await startRedis({ settings: [...cluster, ...partial] }), bus }
}

function connected({ url }: LocalRedis): Redis {
  const redis = new Redis(url)
  redis.on('error', () => {})
  return redis
}

function share(at: number, masters: number): [first: number, last: number] {
  return [Math.floor((slots * at) / masters), Math.floor((slots * (at + 1)) / masters) - 1]
}

function linesOf(text: unknown): number {
  return String(text)
    .trim()
    .split('\n')
    .filter((line) => !line.includes('handshake')).length
}
