import type { ChangeFeed } from './change-feed.ts'
import { RedisChanges } from './redis-changes.ts'
import { RedisClusterLinks } from './redis-cluster-links.ts'
import { RedisConnection } from './redis-connection.ts'
import { RedisKeys } from './redis-keys.ts'
import type { LinkState, RedisLinks } from './redis-link.ts'
import type { NewsFeed } from './redis-news-feed.ts'
import type { Script } from './redis-scripts.ts'
import { RedisShardedChanges } from './redis-sharded-changes.ts'
import { parseRedisUrl } from './redis-url.ts'
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
export interface RedisWays {
  readonly keys: RedisKeys
  readonly requests: RedisLinks
  readonly upkeep: RedisLinks
  readonly changes: RedisFeed
}

export interface RedisWaysOptions {
  readonly prefix: string
  /** Longest wait for an answer, by role. */
  readonly commandTimeout: Milliseconds | undefined
  readonly budget: Milliseconds | undefined
  readonly scripts: readonly Script[]
}

/** Opens them to the one master that the URL leads to, or to all masters of a cluster. */
export function openWays(url: string, { prefix, commandTimeout, budget, scripts }: RedisWaysOptions): RedisWays {
  const target = parseRedisUrl(url)
  const forRequests = { commandTimeout: budget, scripts, name: 'sticky' }
  const forUpkeep = { commandTimeout, scripts, name: 'sticky-upkeep' }
  if (target.kind === 'cluster') {
    const keys = new RedisKeys(prefix, 'by slot')
    const upkeep = new RedisClusterLinks(target, forUpkeep)
    const changes = new RedisShardedChanges(upkeep, keys, commandTimeout)
    return { keys, requests: new RedisClusterLinks(target, forRequests), upkeep, changes }
  }
  const keys = new RedisKeys(prefix)
  const upkeep = new RedisConnection(url, forUpkeep)
  const subscriber = new RedisConnection(url, { commandTimeout, name: 'sticky-changes' })
  const changes = new RedisChanges(subscriber, upkeep, keys.changes())
  return { keys, requests: new RedisConnection(url, forRequests), upkeep, changes }
}
