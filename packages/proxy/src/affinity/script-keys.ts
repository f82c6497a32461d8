import { basename } from 'node:path'

import {
  type MaybePromise,
  type Milliseconds,
  type Row,
  type SessionKey,
  type StoreBudget,
  StoreUnavailable,
} from '@sticky/store'

import { parseAge } from '../config/duration.ts'
import { Flaw } from '../config/flaw.ts'
import { bindInForce } from './bind.ts'
import { Homes } from './homes.ts'
import { Memo } from './memo.ts'
import type { AffinityServices } from './registry.ts'
import { rowOrUnasked } from './unasked.ts'

/** aFleX's 300 s. */
const usualAge = '5m'

/** The table of keys of one script in one pool, apart from those of every other. */
export class ScriptKeys {
  readonly homes: Homes
  readonly #services: AffinityServices
  readonly #source: string
  readonly #keyOf: (text: string) => SessionKey
  readonly #ages = new Memo<Milliseconds>(64)

  /** `script` as the configuration names it: rows are kept under that name. */
  constructor(script: string, services: AffinityServices) {
    this.#source = `script:${basename(script)}`
    this.homes = new Homes(services)
    this.#services = services
    this.#keyOf = services.fingerprints.keysOf(services.pool, `script:${script}`)
  }

  /** Undefined for what is no key, for many clients would share it. */
  keyOf(text: unknown): SessionKey | undefined {
    if (text === undefined || text === '' || text === 'null') return undefined
    if (typeof text !== 'string') throw new TypeError('persist: a key must be a string')
    return this.#keyOf(beyondLatin1.test(text) ? Buffer.from(text).toString('latin1') : text)
  }

  /** What a script wrote as an age. */
  ageOf(written: unknown = usualAge): Milliseconds {
    if (typeof written !== 'string') throw new TypeError('persist.add: age must be a duration such as 300s')
    const known = this.#ages.get(written)
    if (known !== undefined) return known
    const age = parseAge(written)
    if (age instanceof Flaw) throw new TypeError(`persist.add: age ${age.problem}`)
    this.#ages.set(written, age)
    return age
  }

  /** Never rejects for want of a store: `unasked` then. */
  find(key: SessionKey, budget: StoreBudget): MaybePromise<Row> {
    return rowOrUnasked(this.#services.store.sessions.find(key), budget)
  }

  /** Binds if the row's version still is `seen`; answers the row in force. */
  bind(key: SessionKey, seen: number, backend: string, age: Milliseconds): Promise<Row> {
    return bindInForce(this.#services.store.sessions, { key, seen }, backend, { age, source: this.#source })
  }

  touch(key: SessionKey, row: Row): void {
    if (row.state === 'bound') this.#services.store.sessions.touch(key, row)
  }

  async end(key: SessionKey): Promise<void> {
    await this.#services.store.sessions.end(key)
  }

  /** Store time. */
  now(): Milliseconds {
    return this.#services.store.now()
  }
}

// Fingerprints are of latin-1 text, a byte for each character.
const beyondLatin1 = /[\u0100-\uffff]/

/** Is the failure the store's, and not the script's? */
export function isAway(cause: unknown): cause is StoreUnavailable {
  return cause instanceof StoreUnavailable
}
