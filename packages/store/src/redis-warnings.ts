import { clusterScripts } from './cluster-scripts.ts'
import type { RedisLink } from './redis-link.ts'
import { StoreUnavailable } from './store.ts'

/** What a store uses, to be tried on its user's rights. */
export interface RedisUse {
  readonly key: string
  readonly channel: string
  /** Is it a cluster's master, which has its slots' channels only? */
  readonly inCluster: boolean
}

type Command = readonly string[]

/** Sentences about how a Redis is set up that an operator should know of. Rejects with `StoreUnavailable`. */
export async function redisWarnings(link: RedisLink, use: RedisUse): Promise<readonly string[]> {
  return (await Promise.all([memoryWarnings(link), rightsWarnings(link, use)])).flat()
}

async function memoryWarnings(link: RedisLink): Promise<readonly string[]> {
  const policy = /^maxmemory_policy:(\S+)/m.exec(await memoryOf(link))?.[1]
  if (policy === undefined || policy === 'noeviction') return []
  return [`a full Redis will throw away sessions and counts (maxmemory-policy ${policy}): set noeviction`]
}

/** Where INFO is not allowed that is said with the rights. */
async function memoryOf(link: RedisLink): Promise<string> {
  return String((await link.call('info', ['memory']).catch(unlessRefused)) ?? '')
}

async function rightsWarnings(link: RedisLink, use: RedisUse): Promise<readonly string[]> {
  const needed = neededCommands(use)
  const dangerous = dangerousCommands(use)
  const allowed = await mayRun(link, use.key, [...needed, ...dangerous])
  if (allowed === undefined) return ['the Redis user may not run scripts, and nothing works without them']
  const missing = needed.filter((_, i) => !allowed[i])
  const excess = dangerous.filter((_, i) => allowed[needed.length + i])
  return [
    ...(missing.length > 0 ? [`the Redis user lacks rights: ${namesOf(missing)}`] : []),
    ...(excess.length > 0 ? [`the Redis user may do more than it needs, such as ${namesOf(excess)}`] : []),
  ]
}

async function mayRun(link: RedisLink, key: string, commands: readonly Command[]): Promise<boolean[] | undefined> {
  const args = commands.flatMap((words) => [words.length, ...words])
  const reply = await link.run(clusterScripts.rights, [key], args).catch(unlessRefused)
  return (reply as number[] | undefined)?.map((may) => may === 1)
}

/** What Redis answers at all, if with no. */
function unlessRefused(failure: unknown): undefined {
  const cause = failure instanceof StoreUnavailable ? failure.cause : undefined
  if (!(cause instanceof Error && cause.message.startsWith('NOPERM'))) throw failure
}

function namesOf(commands: readonly Command[]): string {
  return commands.map(([name, ...words]) => (words.length > 0 ? `${name} ${words[0]}` : name)).join(', ')
}

/** What the store runs, itself and in scripts. */
function neededCommands({ key, channel, inCluster }: RedisUse): Command[] {
  return [
    ...(inCluster ? [['CLUSTER', 'SLOTS'], ['ASKING'], ['SPUBLISH', channel, ''], ['SSUBSCRIBE', channel]] : []),
    ...(inCluster
      ? []
      : [
          ['PUBLISH', channel, ''],
          ['SUBSCRIBE', channel],
        ]),
    ...['GET', 'MGET', 'DEL', 'EXISTS', 'HGETALL', 'HKEYS', 'HVALS', 'SMEMBERS'].map((name) => [name, key]),
    ...['HGET', 'HMGET', 'HEXISTS', 'HDEL', 'SADD', 'SREM', 'ZREM', 'APPEND', 'SET'].map((name) => [name, key, 'x']),
    ...['HSET', 'HSETNX'].map((name) => [name, key, 'x', 'x']),
    ...['EXPIRE', 'PEXPIREAT'].map((name) => [name, key, '1']),
    ['SETRANGE', key, '0', 'x'],
    ['HINCRBY', key, 'x', '1'],
    ['ZADD', key, '1', 'x'],
    ...['ZCOUNT', 'ZRANGE'].map((name) => [name, key, '0', '1']),
    ['ZSCAN', key, '0'],
    ['EVALSHA', '0'.repeat(40), '0'],
    ['TIME'],
    ['INFO'],
  ]
}

/** What would harm others, or us. */
function dangerousCommands({ key, channel }: RedisUse): Command[] {
  return [
    ['FLUSHALL'],
    ['SHUTDOWN'],
    ['CONFIG', 'SET', 'maxmemory', '1'],
    ['ACL', 'SETUSER', 'x'],
    ['KEYS', '*'],
    ['GET', `not-${key}`],
    ['PUBLISH', `not-${channel}`, ''],
  ]
}
