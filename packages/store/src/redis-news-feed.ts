import type { News } from './news.ts'

/** The channel of changes, as far as it carries other news. */
export interface NewsFeed {
  /** What `ChangeFeed.hearing` answers for every session; `unheard` when some changes would not be heard. */
  readonly hearingAll: number
  /** Calls back for each news; for a barrier, when all that any process was told before it has been heard. */
  onNews(listener: (news: News) => void): void
  /** Sends a message to every process, behind all that this one has caused to be sent before. */
  publish(message: Buffer): Promise<void>
}
