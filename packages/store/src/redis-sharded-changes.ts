import { type ChangeFeed, unheard } from './change-feed.ts'
import type { News } from './news.ts'
import { type ChannelVerbs, RedisChanges } from './redis-changes.ts'
import type { Master, RedisClusterLinks } from './redis-cluster-links.ts'
import { RedisConnection } from './redis-connection.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { LinkState } from './redis-link.ts'
import { stateOfAll } from './redis-link-state.ts'
import type { NewsFeed } from './redis-news-feed.ts'
import { shardOf } from './redis-shards.ts'
import { tagOf } from './redis-slots.ts'
import { type Milliseconds, type SessionKey, StoreUnavailable } from './store.ts'

const sharded: ChannelVerbs = { subscribe: 'ssubscribe', publish: 'spublish', message: 'smessageBuffer' }
/** As many barriers are remembered as may be on their way at once. */
const mostBarriers = 1000

/**
 * The change feed of a Redis Cluster: from each master what is published in its slots, over a connection of its own.
 *
 * Each master has a channel that every process hears, for its beat and for news; each shard has one for its sessions,
 * which those hear that use its pool. A master that falls silent makes its own slots' sessions unheard, and no others.
 */
export class RedisShardedChanges implements ChangeFeed, NewsFeed, AsyncDisposable {
  readonly #cluster: RedisClusterLinks
  readonly #keys: RedisKeys
  readonly #commandTimeout: Milliseconds | undefined
  readonly #parts = new Map<string, Part>()
  readonly #pools = new Map<string, readonly Ear[]>()
  readonly #ofAll: Ear
  readonly #onChange = new Set<(key: SessionKey, below: number) => void>()
  readonly #onSilence = new Set<() => void>()
  readonly #onNews = new Set<(news: News) => void>()
  readonly #barriers = new Map<string, Set<Part>>()
  #heardBy = ''
  #hearing = 0

  /** Publishes by `cluster`, and follows its map. */
  constructor(cluster: RedisClusterLinks, keys: RedisKeys, commandTimeout: Milliseconds | undefined) {
    this.#cluster = cluster
    this.#keys = keys
    this.#commandTimeout = commandTimeout
    this.#ofAll = new Ear(keys.clusterChanges())
    cluster.onMap(() => this.#arrange())
  }

  get live(): boolean {
    return this.#live.length === this.#parts.size && this.#parts.size > 0
  }

  hearing({ pool, id }: SessionKey): number {
    const ears = this.#pools.get(pool)
    return ears === undefined ? unheard : ears[shardOf(id, ears.length)]!.hearing
  }

  /** Another number whenever a master is heard no more, or anew. */
  get hearingAll(): number {
    const heardBy = this.#live.map(({ changes }) => changes.hearing()).join()
    if (heardBy !== this.#heardBy) this.#hearing++
    this.#heardBy = heardBy
    return heardBy === '' ? unheard : this.#hearing
  }

  get state(): LinkState {
    const states = [...this.#parts.values()].map(({ subscriber }) => subscriber.state)
    return stateOfAll(states, this.#cluster.state.reason ?? 'no master of the Redis Cluster is known')
  }

  onChange(listener: (key: SessionKey, below: number) => void): void {
    this.#onChange.add(listener)
  }

  onSilence(listener: () => void): void {
    this.#onSilence.add(listener)
  }

  onNews(listener: (news: News) => void): void {
    this.#onNews.add(listener)
  }

  /** By every master that can be reached, for whatever was published before went by one of them. */
  async publish(message: Buffer): Promise<void> {
    const sent = [...this.#parts.values()].map(({ changes }) => changes.publish(message))
    const outcomes = await Promise.allSettled(sent)
    if (outcomes.some(({ status }) => status === 'fulfilled')) return
    throw new StoreUnavailable('no master of the Redis Cluster could be told')
  }

  tell(key: SessionKey, below: number): void {
    for (const listener of this.#onChange) listener(key, below)
  }

  /** Hears of the pool's sessions from now on. */
  join(pool: string, shards: number): void {
    const channels = Array.from({ length: shards }, (_, shard) => this.#keys.shardChanges(pool, shard))
    this.#pools.set(
      pool,
      channels.map((channel) => new Ear(channel)),
    )
    this.#arrange()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#parts.values()].map(({ changes }) => changes[Symbol.asyncDispose]()))
  }

  get #live(): readonly Part[] {
    return [...this.#parts.values()].filter(({ changes }) => changes.live)
  }

  get #ears(): readonly Ear[] {
    return [this.#ofAll, ...[...this.#pools.values()].flat()]
  }

  /** Hears each master, and each channel where its slot is now. */
  #arrange(): void {
    const masters = [...this.#cluster.masters()]
    for (const part of this.#parts.values()) {
      const serves = masters.some(({ url, lowest }) => url === part.url && lowest === part.lowest)
      if (!serves) this.#leave(part)
    }
    for (const master of masters) if (!this.#parts.has(master.url)) this.#parts.set(master.url, this.#hear(master))
    for (const ear of this.#ears) this.#attach(ear)
  }

  #hear({ url, lowest }: Master): Part {
    const channel = this.#keys.masterChanges(tagOf(lowest!))
    const subscriber = new RedisConnection(url, { commandTimeout: this.#commandTimeout, name: 'sticky-changes' })
    const changes = new RedisChanges(subscriber, this.#cluster.at(channel), channel, sharded)
    const part = { url, lowest: lowest!, subscriber, changes }
    changes.onChange((key, below) => this.tell(key, below))
    changes.onSilence(() => this.#fellSilent())
    changes.onNews((news) => this.#heard(part, news))
    // A slot has gone elsewhere, with the channels that lie in it.
    subscriber.client.on('moved', () => {
      this.#detach(part)
      this.#cluster.doubt()
    })
    return part
  }

  #leave(part: Part): void {
    this.#parts.delete(part.url)
    this.#detach(part)
    void part.changes[Symbol.asyncDispose]()
    this.#fellSilent()
  }

  #attach(ear: Ear): void {
    const url = this.#cluster.masterOf(ear.channel)?.url
    const part = url === undefined ? undefined : this.#parts.get(url)
    if (ear.part === part) return
    ear.part = part
    ear.listens = false
    const listens = () => {
      if (ear.part === part) ear.listens = true
    }
    // A connection that is not there yet hears this channel too as soon as it stands.
    part?.changes.listen(ear.channel).then(listens, listens)
  }

  #detach(part: Part): void {
    for (const ear of this.#ears) if (ear.part === part) ear.part = undefined
  }

  #fellSilent(): void {
    for (const listener of this.#onSilence) listener()
  }

  /** A barrier counts when it was heard from every master that is heard. */
  #heard(part: Part, news: News): void {
    if (news.kind === 'barrier' && !this.#isComplete(part, news.barrier)) return
    for (const listener of this.#onNews) listener(news)
  }

  #isComplete(part: Part, barrier: string): boolean {
    const heard = this.#barriers.get(barrier) ?? new Set<Part>()
    this.#barriers.set(barrier, heard.add(part))
    if (this.#barriers.size > mostBarriers) this.#barriers.delete(this.#barriers.keys().next().value!)
    return this.#live.every((live) => heard.has(live))
  }
}

/** What is heard from one master. */
interface Part {
  readonly url: string
  readonly lowest: number
  readonly subscriber: RedisConnection
  readonly changes: RedisChanges
}

/** One channel, heard from whichever master has its slot. */
class Ear {
  readonly channel: string
  part: Part | undefined
  listens = false

  constructor(channel: string) {
    this.channel = channel
  }

  get hearing(): number {
    return this.part !== undefined && this.listens ? this.part.changes.hearing() : unheard
  }
}
