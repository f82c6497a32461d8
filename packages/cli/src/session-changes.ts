import type { SessionResource, Timestamp } from '@sticky/proxy/admin-api'

/** Something that happened to a session between two looks. */
export interface SessionChange {
  readonly event: 'begun' | 'moved' | 'ended'
  /** When it was noticed. */
  readonly time: Timestamp
  readonly id: string
  readonly pool: string
  /** Where it lives now; where it lived, when it ended. */
  readonly backend: string
  /** Where it lived before it moved. */
  readonly from?: string
}

interface Seen {
  readonly id: string
  readonly pool: string
  backend: string
  look: number
}

/** Finds what changed from one complete listing to the next; holds one small entry for each session. */
export class SessionChanges {
  readonly #seen = new Map<string, Seen>()
  #look = 0
  #isFirst = true

  /** The changes since the last look, as the listing shows them. The first look finds none. */
  async *look(listing: AsyncIterable<SessionResource>, time: Timestamp): AsyncGenerator<SessionChange> {
    this.#look++
    for await (const session of listing) {
      const change = this.#notice(session, time)
      if (change && !this.#isFirst) yield change
    }
    this.#isFirst = false
    yield* this.#ended(time)
  }

  #notice({ id, pool, backend }: SessionResource, time: Timestamp): SessionChange | undefined {
    const key = `${pool}/${id}`
    const seen = this.#seen.get(key)
    if (!seen) {
      this.#seen.set(key, { id, pool, backend, look: this.#look })
      return { event: 'begun', time, id, pool, backend }
    }
    const from = seen.backend
    seen.look = this.#look
    seen.backend = backend
    return from === backend ? undefined : { event: 'moved', time, id, pool, backend, from }
  }

  // A listing may miss a session that moves while it is read, so one that is missing for the first time may still live.
  *#ended(time: Timestamp): Generator<SessionChange> {
    for (const [key, { id, pool, backend, look }] of this.#seen) {
      if (look >= this.#look - 1) continue
      this.#seen.delete(key)
      yield { event: 'ended', time, id, pool, backend }
    }
  }
}
