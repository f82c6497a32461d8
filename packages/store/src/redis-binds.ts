import { ByteWriter } from './byte-writer.ts'
import { Grouping } from './grouping.ts'
import { begun, decodeRow, keptCookies, writeCookies, writeTerms } from './redis-row.ts'
import type { RedisShard } from './redis-shard.ts'
import { sessionScripts } from './session-scripts.ts'
import type { Row, SessionKey, Terms } from './store.ts'

const bytes = new ByteWriter()

/** Binds sessions of one shard, all that one turn of the event loop asks for with one script call. */
export class RedisBinds {
  readonly #shard: RedisShard
  readonly #binds = new Grouping<Bind>((binds) => this.#send(binds))

  constructor(shard: RedisShard) {
    this.#shard = shard
  }

  bind(key: SessionKey, backend: string, seen: number, terms: Terms): Promise<Row> {
    return new Promise((resolve, reject) => this.#binds.add({ key, backend, seen, terms, resolve, reject }))
  }

  async #send(binds: readonly Bind[]): Promise<void> {
    const { epochKey, backends, rows, channel, pool, connection } = this.#shard
    try {
      const args = [channel, pool, connection.runId, encode(binds)]
      settle(binds, (await connection.run(sessionScripts.bind, [epochKey, backends, rows], args)) as Reply)
    } catch (failure) {
      for (const { reject } of binds) reject(failure)
    }
  }
}

interface Bind {
  readonly key: SessionKey
  readonly backend: string
  readonly seen: number
  readonly terms: Terms
  readonly resolve: (row: Row) => void
  readonly reject: (failure: unknown) => void
}

type Reply = readonly [time: number, epoch: Buffer, ...exceptions: (number | Buffer)[]]

function encode(binds: readonly Bind[]): Buffer {
  for (const { key, backend, seen, terms } of binds) {
    bytes.base64(key.id, 16)
    bytes.double(seen)
    const opened = bytes.open()
    writeTerms(bytes, backend, terms)
    if (terms.cookies) writeCookies(bytes, seen === 0 ? keptCookies(terms.cookies) : terms.cookies)
    bytes.close(opened)
  }
  return bytes.take()
}

/** Most binds are first ones and got what they asked for; the reply has the others only, in order. */
function settle(binds: readonly Bind[], [time, epochText, ...exceptions]: Reply): void {
  const epoch = Number(epochText)
  let next = 0
  for (const [i, { backend, terms, resolve }] of binds.entries()) {
    if (exceptions[next] !== i) {
      resolve(begun(backend, terms, time, epoch))
      continue
    }
    const row = exceptions[next + 1] as Buffer
    next += 2
    resolve(decodeRow(row.length > 0 ? row : null, epoch))
  }
}
