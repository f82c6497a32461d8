import { type ChangeFeed, unheard } from './change-feed.ts'
import { type News, newsIn } from './news.ts'
import { readChanges } from './redis-change-message.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { NewsFeed } from './redis-news-feed.ts'
import type { SessionKey } from './store.ts'

const beatInterval = 250
const longestSilence = 1000

/**
 * Changed sessions as their scripts publish them, and the beat that shows the channel works.
 *
 * Whoever has heard no beat for its interval sends one, so many processes beat hardly more often than one.
 */
export class RedisChanges implements ChangeFeed, NewsFeed, AsyncDisposable {
  readonly #subscriber: RedisConnection
  readonly #publisher: RedisConnection
  readonly #channel: string
  readonly #onChange = new Set<(key: SessionKey, below: number) => void>()
  readonly #onSilence = new Set<() => void>()
  readonly #onNews = new Set<(news: News) => void>()
  readonly #beat: NodeJS.Timeout
  #standing = false
  #wasLive = false
  #heard = Number.NEGATIVE_INFINITY
  #generation = 0

  /** `subscriber` is for this alone, and is disposed with it. */
  constructor(subscriber: RedisConnection, publisher: RedisConnection, channel: string) {
    this.#subscriber = subscriber
    this.#publisher = publisher
    this.#channel = channel
    subscriber.onReady(() => this.#subscribe())
    subscriber.onLost(() => {
      this.#standing = false
      this.#notice()
    })
    subscriber.client.on('messageBuffer', (_, message: Buffer) => this.#hear(message))
    this.#beat = setInterval(() => this.#tick(), beatInterval * (0.9 + Math.random() / 5)).unref()
  }

  /** Would a change made anywhere be heard here soon? */
  get live(): boolean {
    return this.#standing && performance.now() - this.#heard < longestSilence
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
    await this.#publisher.call('publish', [this.#channel, message])
  }

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
      await this.#subscriber.client.subscribe(this.#channel)
    } catch {
      // The connection is gone, and the next one subscribes again.
      return
    }
    this.#generation++
    this.#standing = true
    this.#heard = performance.now()
    this.#wasLive = true
  }

  #tick(): void {
    this.#notice()
    if (performance.now() - this.#heard < beatInterval * 0.8) return
    this.#publisher.call('publish', [this.#channel, '']).catch(() => {})
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
