import { setTimeout as delay } from 'node:timers/promises'

import { apiVersion, type SessionCount } from '@sticky/proxy/admin-api'

import type { CommandContext } from './command-context.ts'
import { type CountChange, CountChanges } from './count-changes.ts'
import { isPassing } from './failures.ts'
import { jsonLine } from './output.ts'
import { pages } from './pages.ts'
import { type SessionChange, SessionChanges } from './session-changes.ts'
import { type Column, Table } from './tables.ts'
import { type Milliseconds, timestamp } from './times.ts'

/** What to watch, and how often to look. */
export interface WatchQuery {
  readonly pool?: string | undefined
  readonly backend?: string | undefined
  readonly interval: Milliseconds
  /** With more sessions than this, counts are watched instead of sessions. */
  readonly max: number
}

/** A line of the watch: something happened to a session, or a backend's count changed. */
export type WatchEvent = SessionChange | CountChange

const columns: readonly Column<WatchEvent>[] = [
  { title: 'TIME', value: ({ time }) => time },
  { title: 'EVENT', value: ({ event }) => event.padEnd('counted'.length) },
  { title: 'POOL', value: ({ pool }) => pool },
  { title: 'BACKEND', value: ({ backend }) => backend },
  { title: 'WHAT', value: describe },
]

const paging = { size: 200, patience: 250 }

// Looking takes at most this share of the time, so that a watch of many sessions does not load the store for long.
const lookingShare = 0.2

/** `sticky-cli sessions watch`: prints what changes until it is interrupted; looks again when a node cannot be reached. */
export async function watchSessions(context: CommandContext, query: WatchQuery): Promise<never> {
  const { output, signal, clock } = context
  const watch = new Watch(context, query)
  let isLost = false
  for (let first = true; ; first = false) {
    const began = clock()
    try {
      await watch.look()
      if (isLost) output.note('the admin API is back')
      isLost = false
    } catch (error) {
      if (first || !isPassing(error)) throw error
      if (!isLost) output.note(`${(error as Error).message}; looking again until it is back`)
      isLost = true
    }
    await delay(Math.max(query.interval, (clock() - began) / lookingShare), undefined, { signal })
  }
}

class Watch {
  readonly #context: CommandContext
  readonly #query: WatchQuery
  readonly #table: Table<WatchEvent>
  #watched: SessionChanges | CountChanges | undefined

  constructor(context: CommandContext, query: WatchQuery) {
    this.#context = context
    this.#query = query
    this.#table = new Table(columns, context.output.color)
  }

  /** Prints what changed since the last look; the first one says from when on changes are seen. */
  async look(): Promise<void> {
    const { api, output } = this.#context
    const before = this.#watched
    const count = await api.countSessions({ pool: this.#query.pool })
    for await (const page of pages(this.#events(count), paging)) {
      await output.print(output.format === 'json' ? page.map(eventLine).join('') : this.#table.page(page))
    }
    if (this.#watched !== before) this.#announce(count.total)
  }

  #announce(total: number): void {
    const only = this.#watched instanceof CountChanges ? `more than ${this.#query.max}, so only counts are shown; ` : ''
    this.#context.output.note(`watching ${total} sessions; ${only}Ctrl-C ends`)
  }

  async *#events(count: SessionCount): AsyncGenerator<WatchEvent> {
    const { pool, backend } = this.#query
    for await (const event of this.#changes(count, pool)) {
      const concerns = event.backend === backend || ('from' in event && event.from === backend)
      if (backend === undefined || concerns) yield event
    }
  }

  // Always whole pools: with a filter, a session that moves to another backend would look like one that ended.
  #changes(count: SessionCount, pool: string | undefined): AsyncIterable<WatchEvent> | Iterable<WatchEvent> {
    const { api, clock } = this.#context
    const time = timestamp(clock())
    const watched = this.#watchedAt(count.total)
    return watched instanceof CountChanges ? watched.look(count, time) : watched.look(api.sessions({ pool }), time)
  }

  #watchedAt(total: number): SessionChanges | CountChanges {
    const Kind = total > this.#query.max ? CountChanges : SessionChanges
    if (!(this.#watched instanceof Kind)) this.#watched = new Kind()
    return this.#watched
  }
}

function describe(event: WatchEvent): string {
  if (event.event === 'counted') return `${event.sessions} sessions (${event.change > 0 ? '+' : ''}${event.change})`
  return event.event === 'moved' ? `${event.id} from ${event.from}` : event.id
}

function eventLine(event: WatchEvent): string {
  return jsonLine({ apiVersion, ...event })
}
