import type { ChangeFeed } from './change-feed.ts'
import { RedisChanges } from './redis-changes.ts'
import { RedisClusterLinks } from './redis-cluster-links.ts'
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts'
import { RedisKeys } from './redis-keys.ts'
import type { LinkState, RedisLink, RedisLinks } from './redis-link.ts'
import type { NewsFeed } from './redis-news-feed.ts'
import type { Script } from './redis-scripts.ts'
import { SentinelWatch } from './redis-sentinel-watch.ts'
import { RedisShardedChanges } from './redis-sharded-changes.ts'
import { tagOf } from './redis-slots.ts'
import { type ClusterTarget, parseRedisUrl, type SentinelTarget } from './redis-url.ts'
import type { RedisUse } from './redis-warnings.ts'
import type { Milliseconds, SessionKey } from './store.ts'

/** What other processes change and tell, over the way there that is for this alone. */
export interface RedisFeed extends ChangeFeed, NewsFeed, AsyncDisposable {
  /** Is everything heard? */
  readonly live: boolean
  readonly state: LinkState
  /** Tells listeners of a change found otherwise than by a message. */
  tell(key: SessionKey, below: number): void
  /** The pool's sessions are used from now on, in so many shards. */
  join(pool: string, shards: number): void
}

/** The ways from a store to its Redis, one for each role, and the names of what is there. */
export interface RedisWays extends AsyncDisposable {
  readonly keys: RedisKeys
  readonly requests: RedisLinks
  readonly upkeep: RedisLinks
  readonly changes: RedisFeed
  /** The masters that are known, and what the store does there. */
  masters(): readonly { readonly link: RedisLink; readonly use: RedisUse }[]
}

export interface RedisWaysOptions {
  readonly prefix: string
  /** Longest wait for an answer, by role. */
  readonly commandTimeout: Milliseconds | undefined
  readonly budget: Milliseconds | undefined
  readonly scripts: readonly Script[]
}

/** Opens them to the one master that the URL leads to, or to all masters of a cluster. */
export function openWays(url: string, options: RedisWaysOptions): RedisWays {
  const target = parseRedisUrl(url)
  if (target.kind === 'cluster') return waysToMasters(target, options)
  return waysToOne(url, target.kind === 'sentinel' ? target : undefined, options)
}

function waysToMasters(target: ClusterTarget, options: RedisWaysOptions): RedisWays {
  const keys = new RedisKeys(options.prefix, 'by slot')
  const requests = new RedisClusterLinks(target, forRequests(options))
  const upkeep = new RedisClusterLinks(target, forUpkeep(options))
  const changes = new RedisShardedChanges(upkeep, keys, options.commandTimeout)
  const masters = () =>
    [...upkeep.masters()].map(({ connection, lowest }) => {
      const channel = keys.masterChanges(tagOf(lowest!))
      return { link: connection, use: { key: channel, channel, inCluster: true } }
    })
  return { keys, requests, upkeep, changes, masters, [Symbol.asyncDispose]: () => closed([changes, requests, upkeep]) }
}

function waysToOne(url: string, watched: SentinelTarget | undefined, options: RedisWaysOptions): RedisWays {
  const keys = new RedisKeys(options.prefix)
  const requests = new RedisConnection(url, forRequests(options))
  const upkeep = new RedisConnection(url, forUpkeep(options))
  const subscriber = new RedisConnection(url, { commandTimeout: options.commandTimeout, name: 'sticky-changes' })
  const changes = new RedisChanges(subscriber, upkeep, keys.changes())
  const watch = watched && new SentinelWatch(watched, [requests, upkeep, subscriber])
  const close = () => {
    watch?.[Symbol.dispose]()
    return closed([changes, requests, upkeep])
  }
  const use = { key: keys.nodes(), channel: keys.changes(), inCluster: false }
  const masters = () => [{ link: upkeep, use }]
  return { keys, requests, upkeep, changes, masters, [Symbol.asyncDispose]: close }
}

function forRequests({ budget, scripts }: RedisWaysOptions): RedisConnectionOptions {
  return { commandTimeout: budget, scripts, name: 'sticky' }
}

function forUpkeep({ commandTimeout, scripts }: RedisWaysOptions): RedisConnectionOptions {
  return { commandTimeout, scripts, name: 'sticky-upkeep' }
}

async function closed(ways: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(ways.map((way) => way[Symbol.asyncDispose]()))
}
