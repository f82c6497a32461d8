import { ByteWriter } from './byte-writer.ts'
import { Grouping } from './grouping.ts'
import { writeCookies } from './redis-row.ts'
import type { RedisShard, StaleListener } from './redis-shard.ts'
import { sessionScripts } from './session-scripts.ts'
import type { CookieRecord, SessionKey } from './store.ts'

/** How long a renewal waits for company, ms; far below the tenth of an age by which it may be late. */
const patience = 10
/** Of either kind kept while Redis is away; beyond that the oldest are not worth the memory. */
const mostKept = 10_000

const bytes = new ByteWriter()

/** Touches and cookies of one shard's sessions: nobody waits for them, so they go in larger groups, and go again. */
export class RedisRenewals {
  readonly #shard: RedisShard
  readonly #onStale: StaleListener
  readonly #touches = new Grouping<Touch>((touches) => this.#sendTouches(touches), patience)
  readonly #recordings = new Grouping<Recording>((recordings) => this.#sendRecordings(recordings), patience)
  /** By session: of a long absence only the last counts. */
  readonly #keptTouches = new Map<string, Touch>()
  readonly #keptRecordings: Recording[] = []

  /** `onStale` is told of rows that a touch found gone or changed. */
  constructor(shard: RedisShard, onStale: StaleListener) {
    this.#shard = shard
    this.#onStale = onStale
    shard.connection.onAvailability((available) => {
      if (available) this.#sendAgain()
    })
  }

  touch(key: SessionKey, version: number): void {
    this.#touches.add({ key, version })
  }

  record(key: SessionKey, cookies: readonly CookieRecord[]): void {
    this.#recordings.add({ key, cookies })
  }

  async #sendTouches(touches: readonly Touch[]): Promise<void> {
    const { backends, rows } = this.#shard
    try {
      const stale = await this.#shard.run(sessionScripts.touch, [backends, rows], [encodeTouches(touches)])
      for (const number of stale as number[]) this.#tell(touches, number)
    } catch {
      for (const touch of touches) this.#keepTouch(touch)
    }
  }

  /** Of a row that is gone nothing says that what is held of it is wrong: it may have expired, or be forgotten. */
  #tell(touches: readonly Touch[], number: number): void {
    if (number < 0) this.#onStale(touches[-1 - number]!.key, 0)
    else this.#onStale(touches[number]!.key, touches[number]!.version + 1)
  }

  async #sendRecordings(recordings: readonly Recording[]): Promise<void> {
    const { backends, rows, channel, pool } = this.#shard
    try {
      await this.#shard.run(sessionScripts.record, [backends, rows], [channel, pool, encodeRecordings(recordings)])
    } catch {
      for (const recording of recordings) this.#keepRecording(recording)
    }
  }

  #keepTouch(touch: Touch): void {
    const kept = this.#keptTouches
    kept.delete(touch.key.id)
    kept.set(touch.key.id, touch)
    if (kept.size > mostKept) kept.delete(kept.keys().next().value!)
  }

  #keepRecording(recording: Recording): void {
    this.#keptRecordings.push(recording)
    if (this.#keptRecordings.length > mostKept) this.#keptRecordings.shift()
  }

  #sendAgain(): void {
    const touches = [...this.#keptTouches.values()]
    this.#keptTouches.clear()
    for (const touch of touches) this.#touches.add(touch)
    for (const recording of this.#keptRecordings.splice(0)) this.#recordings.add(recording)
  }
}

interface Touch {
  readonly key: SessionKey
  readonly version: number
}

interface Recording {
  readonly key: SessionKey
  readonly cookies: readonly CookieRecord[]
}

function encodeTouches(touches: readonly Touch[]): Buffer {
  for (const { key, version } of touches) {
    bytes.base64(key.id, 16)
    bytes.double(version)
  }
  return bytes.take()
}

function encodeRecordings(recordings: readonly Recording[]): Buffer {
  for (const { key, cookies } of recordings) {
    bytes.base64(key.id, 16)
    const opened = bytes.open()
    writeCookies(bytes, cookies)
    bytes.close(opened)
  }
  return bytes.take()
}
