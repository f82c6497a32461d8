import { setTimeout as delay } from 'node:timers/promises'

import { clusterScripts } from './cluster-scripts.ts'
import { loadScripts } from './load-scripts.ts'
import { newsMessage } from './news.ts'
import { RedisClusterTable } from './redis-cluster-table.ts'
import type { RedisLinks } from './redis-link.ts'
import { RedisLoadTable } from './redis-load-table.ts'
import type { Script } from './redis-scripts.ts'
import { RedisSessionTable } from './redis-session-table.ts'
import { RedisShards } from './redis-shards.ts'
import { RedisSweep } from './redis-sweep.ts'
import { usualShards } from './redis-url.ts'
import { redisWarnings } from './redis-warnings.ts'
import { openWays, type RedisFeed, type RedisWays } from './redis-ways.ts'
import { sessionScripts } from './session-scripts.ts'
import type {
  ClusterTable,
  CookieTable,
  LoadTable,
  Milliseconds,
  OperatorReads,
  SessionKey,
  SessionTable,
  Store,
  StoreRole,
} from './store.ts'

export interface RedisStoreOptions {
  /** Start of every key name, `sticky` by default. */
  readonly prefix?: string | undefined
  /** Longest wait for an answer that no exchange waits for, 1 s by default. */
  readonly commandTimeout?: Milliseconds | undefined
  /** Longest wait of an exchange for an answer, `commandTimeout` by default. */
  readonly budget?: Milliseconds | undefined
  /** How long a node or a worker counts as live without a sign of life, 6 s by default. */
  readonly lease?: Milliseconds | undefined
  /** How often a node gives one, 2 s by default. */
  readonly heartbeat?: Milliseconds | undefined
  /** Hash tags a new pool's sessions are spread over: 1 by default, 16 in a cluster, whose masters share them. */
  readonly shards?: number | undefined
}

/** How long a store that closes waits for what is only a courtesy to the others. */
const farewell: Milliseconds = 250

const storeRoles = ['requests', 'upkeep', 'changes'] as const

const scripts = [sessionScripts, loadScripts, clusterScripts].flatMap((group): Script[] => Object.values(group))

/**
 * The store of many nodes, in Redis (7.0 or later): in one master, or in a cluster's.
 *
 * Each role has a connection and a breaker of its own: what exchanges wait for (sessions, load), upkeep (heartbeat,
 * lists, sweeping) and changes. So a slow list opens nobody's breaker, and a lost subscription refuses nobody.
 */
export class RedisStore implements Store {
  readonly sessions: SessionTable
  readonly cookies: CookieTable
  readonly load: LoadTable
  readonly cluster: ClusterTable
  readonly operators: OperatorReads
  /** What other processes change; a near cache lives by it. */
  readonly changes: RedisFeed
  readonly #requests: RedisLinks
  readonly #upkeep: RedisLinks
  readonly #nodes: string
  readonly #ways: RedisWays
  readonly #load: RedisLoadTable
  readonly #sweep: RedisSweep

  /** Begins to connect; until that has succeeded the store is unavailable. */
  constructor(url: string, options: RedisStoreOptions = {}) {
    const {
      prefix = 'sticky',
      commandTimeout,
      budget = commandTimeout,
      lease = 6000,
      heartbeat = 2000,
      shards = usualShards(url),
    } = options
    this.#ways = openWays(url, { prefix, commandTimeout, budget, scripts })
    const { keys, requests, upkeep, changes } = this.#ways
    this.changes = changes
    const numbers = new RedisShards(requests, keys, shards)
    const sessions = new RedisSessionTable({ requests, upkeep }, keys, numbers, changes)
    this.sessions = sessions
    this.cookies = sessions
    this.#load = new RedisLoadTable(requests, { prefix, lease })
    this.load = this.#load
    this.cluster = new RedisClusterTable(upkeep, keys, { lease, heartbeat }, changes, () => this.available)
    this.operators = {
      show: (key) => sessions.operators.show(key),
      count: (pool) => sessions.operators.count(pool),
      totals: (pool) => this.#load.totals(pool, upkeep),
    }
    this.#requests = requests
    this.#upkeep = upkeep
    this.#nodes = keys.nodes()
    this.#sweep = new RedisSweep(sessions, numbers)
  }

  get available(): boolean {
    return this.#requests.available
  }

  now(): Milliseconds {
    return this.#requests.at(this.#nodes).now()
  }

  roles(): readonly StoreRole[] {
    const links = { requests: this.#requests, upkeep: this.#upkeep, changes: this.changes } as const
    return storeRoles.map((role) => ({ role, ...links[role].state }))
  }

  async warnings(): Promise<readonly string[]> {
    const asked = this.#ways.masters().map(({ link, use }) => redisWarnings(link, use))
    return [...new Set((await Promise.all(asked)).flat())]
  }

  onAvailability(listener: (available: boolean) => void): void {
    this.#requests.onAvailability(listener)
  }

  onStale(listener: (stale: SessionKey | 'all') => void): void {
    this.changes.onChange((key) => listener(key))
    this.changes.onSilence(() => listener('all'))
  }

  recall(pool: string, ids: readonly string[]): Promise<void> {
    return this.changes.publish(newsMessage({ kind: 'recall', pool, ids }))
  }

  onRecall(listener: (key: SessionKey) => void): void {
    this.changes.onNews((news) => {
      if (news.kind === 'recall') for (const id of news.ids) listener({ pool: news.pool, id })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sweep[Symbol.dispose]()
    await Promise.race([this.#load[Symbol.asyncDispose](), delay(farewell, undefined, { ref: false })])
    await this.#ways[Symbol.asyncDispose]()
  }
}
