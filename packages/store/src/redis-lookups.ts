import { Grouping } from './grouping.ts'
import { decodeRow } from './redis-row.ts'
import type { RedisShard } from './redis-shard.ts'
import type { Row, SessionKey } from './store.ts'

/** Reads rows of one shard, all that one turn of the event loop asks for with one MGET. */
export class RedisLookups {
  readonly #shard: RedisShard
  readonly #lookups = new Grouping<Lookup>((lookups) => this.#send(lookups))

  constructor(shard: RedisShard) {
    this.#shard = shard
  }

  find(key: SessionKey): Promise<Row> {
    return new Promise((resolve, reject) => this.#lookups.add({ key, resolve, reject }))
  }

  async #send(lookups: readonly Lookup[]): Promise<void> {
    try {
      const { epoch, rows } = await this.#shard.read(lookups.map(({ key }) => Buffer.from(key.id, 'base64url')))
      lookups.forEach(({ resolve }, i) => {
        resolve(decodeRow(rows[i]!, epoch))
      })
    } catch (failure) {
      for (const { reject } of lookups) reject(failure)
    }
  }
}

interface Lookup {
  readonly key: SessionKey
  readonly resolve: (row: Row) => void
  readonly reject: (failure: unknown) => void
}
