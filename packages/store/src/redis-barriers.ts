import { randomBytes } from 'node:crypto'

import { clusterScripts } from './cluster-scripts.ts'
import { newsMessage } from './news.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisLink } from './redis-link.ts'
import type { NewsFeed } from './redis-news-feed.ts'
import { type Milliseconds, StoreUnavailable } from './store.ts'

/** How long anybody waits for what others say of a barrier, and then some. */
const life: Milliseconds = 10_000
const lookInterval: Milliseconds = 100
/** As many barriers are remembered as a process may reach before it is asked for the first of them. */
const most = 1000

/** Barriers on the channel of changes: who hears one has heard all that was changed before it. */
export class RedisBarriers {
  readonly #link: RedisLink
  readonly #keys: RedisKeys
  readonly #feed: NewsFeed
  readonly #isServing: () => boolean
  readonly #reached = new Set<string>()
  readonly #waiting = new Set<Waiting>()
  #timer: NodeJS.Timeout | undefined

  /** `isServing`: may what this process holds be read again before it is used? */
  constructor(link: RedisLink, keys: RedisKeys, feed: NewsFeed, isServing: () => boolean) {
    this.#link = link
    this.#keys = keys
    this.#feed = feed
    this.#isServing = isServing
    feed.onNews((news) => news.kind === 'barrier' && this.#reach(news.barrier))
  }

  async raise(): Promise<string> {
    const barrier = randomBytes(16).toString('base64url')
    await this.#link.call('set', [this.#keys.barrier(barrier), '', 'PX', life])
    await this.#feed.publish(newsMessage({ kind: 'barrier', barrier }))
    return barrier
  }

  async pass(barrier: string, instance: string): Promise<void> {
    await this.#link.run(clusterScripts.pass, [this.#keys.barrier(barrier)], [`${instance} `])
  }

  async passed(barrier: string): Promise<ReadonlySet<string>> {
    const passed = await this.#link.call('get', [this.#keys.barrier(barrier)])
    return new Set(String(passed ?? '').split(' '))
  }

  async reached(barrier: string): Promise<void> {
    if (this.#reached.has(barrier)) return
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add({ barrier, resolve, reject, hearing: this.#feed.hearingAll, since: performance.now() })
      this.#look()
    })
  }

  #reach(barrier: string): void {
    this.#reached.add(barrier)
    if (this.#reached.size > most) this.#reached.delete(this.#reached.values().next().value!)
    this.#look()
  }

  /** Whoever waits may also have lost its subscription: then all it holds is read again before it is used. */
  #look(): void {
    for (const waiting of this.#waiting) if (this.#isOver(waiting)) this.#waiting.delete(waiting)
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    } else this.#timer ??= setInterval(() => this.#look(), lookInterval).unref()
  }

  #isOver({ barrier, hearing, since, resolve, reject }: Waiting): boolean {
    const distrusts = this.#isServing() && this.#feed.hearingAll !== hearing
    if (this.#reached.has(barrier) || distrusts) resolve()
    else if (performance.now() - since > life) reject(new StoreUnavailable('a barrier was not heard of in time'))
    else return false
    return true
  }
}

interface Waiting {
  readonly barrier: string
  /** By what was heard when the wait began. */
  readonly hearing: number
  readonly since: Milliseconds
  readonly resolve: () => void
  readonly reject: (failure: StoreUnavailable) => void
}
