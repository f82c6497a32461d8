import { type ChangeFeed, unheard } from './change-feed.ts'
import { type News, newsIn } from './news.ts'
import { readChanges } from './redis-change-message.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { LinkState, RedisLink } from './redis-link.ts'
import type { NewsFeed } from './redis-news-feed.ts'
import type { SessionKey } from './store.ts'

const beatInterval = 250
const longestSilence = 1000

/** The commands of a channel, and ioredis' event of its messages. */
export interface ChannelVerbs {
  readonly subscribe: 'subscribe' | 'ssubscribe'
  readonly publish: 'publish' | 'spublish'
  readonly message: 'messageBuffer' | 'smessageBuffer'
}

const everywhere: ChannelVerbs = { subscribe: 'subscribe', publish: 'publish', message: 'messageBuffer' }

let generations = 0

/**
 * Changed sessions as their scripts publish them, and the beat that shows the channel works.
 *
 * Whoever has heard no beat for its interval sends one, so many processes beat hardly more often than one.
 */
export class RedisChanges implements ChangeFeed, NewsFeed, AsyncDisposable {
  readonly #subscriber: RedisConnection
  readonly #publisher: RedisLink
  readonly #channel: string
  readonly #verbs: ChannelVerbs
  readonly #others = new Set<string>()
  readonly #onChange = new Set<(key: SessionKey, below: number) => void>()
  readonly #onSilence = new Set<() => void>()
  readonly #onNews = new Set<(news: News) => void>()
  readonly #beat: NodeJS.Timeout
  #standing = false
  #wasLive = false
  #heard = Number.NEGATIVE_INFINITY
  #generation = 0

  /** `subscriber` is for this alone, and is disposed with it. */
  constructor(subscriber: RedisConnection, publisher: RedisLink, channel: string, verbs: ChannelVerbs = everywhere) {
    this.#subscriber = subscriber
    this.#publisher = publisher
    this.#channel = channel
    this.#verbs = verbs
    subscriber.onReady(() => this.#subscribe())
    subscriber.onLost(() => {
      this.#standing = false
      this.#notice()
    })
    subscriber.client.on(verbs.message, (_, message: Buffer) => this.#hear(message))
    this.#beat = setInterval(() => this.#tick(), beatInterval * (0.9 + Math.random() / 5)).unref()
  }

  /** Would a change made anywhere be heard here soon? */
  get live(): boolean {
    return this.#standing && performance.now() - this.#heard < longestSilence
  }

  get state(): LinkState {
    return this.#subscriber.state
  }

  hearing(): number {
    return this.live ? this.#generation : unheard
  }

  get hearingAll(): number {
    return this.hearing()
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

  async publish(message: Buffer): Promise<void> {
    await this.#publisher.call(this.#verbs.publish, [this.#channel, message])
  }

  /** Hears another channel of the same server too; what was read before that is to be read again. */
  async listen(channel: string): Promise<void> {
    this.#others.add(channel)
    await this.#join(channel)
    this.#generation = ++generations
  }

  /** One channel has all pools' changes. */
  join(): void {}

  /** Tells listeners of a change found otherwise than by a message. */
  tell(key: SessionKey, below: number): void {
    for (const listener of this.#onChange) listener(key, below)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat)
    await this.#subscriber[Symbol.asyncDispose]()
  }

  async #subscribe(): Promise<void> {
    try {
      const others = [...this.#others].map((channel) => this.#join(channel).catch(() => {}))
      await Promise.all([this.#join(this.#channel), ...others])
    } catch {
      // The connection is gone, and the next one subscribes again.
      return
    }
    this.#generation = ++generations
    this.#standing = true
    this.#heard = performance.now()
    this.#wasLive = true
  }

  #join(channel: string): Promise<unknown> {
    return this.#subscriber.client[this.#verbs.subscribe](channel)
  }

  #tick(): void {
    this.#notice()
    if (performance.now() - this.#heard < beatInterval * 0.8) return
    this.#publisher.call(this.#verbs.publish, [this.#channel, '']).catch(() => {})
  }

  #notice(): void {
    const live = this.live
    if (this.#wasLive && !live) for (const listener of this.#onSilence) listener()
    this.#wasLive = live
  }

  #hear(message: Buffer): void {
    this.#heard = performance.now()
    const news = newsIn(message)
    if (news === undefined) readChanges(message, (key, below) => this.tell(key, below))
    else for (const listener of this.#onNews) listener(news)
  }
}
