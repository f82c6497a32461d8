import { type Binding, type MaybePromise, type Row, type SessionKey, StoreUnavailable } from '@sticky/store'

import type { PersistenceKeyConfig } from '../config/config.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { bindInForce } from './bind.ts'
import { Homes } from './homes.ts'
import { type KeyChange, LearnedKey } from './learned-key.ts'
import type { AffinityServices } from './registry.ts'

const unchanged: readonly KeyChange[] = []

/** Keeps the sessions of one pool that values of its application name. */
export class KeyKeeper {
  readonly sources: readonly LearnedKey[]
  readonly homes: Homes
  readonly #config: PersistenceKeyConfig
  readonly #services: AffinityServices

  constructor(config: PersistenceKeyConfig, services: AffinityServices) {
    this.sources = config.from.map((source) => new LearnedKey(source, services.pool, services.fingerprints))
    this.homes = new Homes(services.backends)
    this.#config = config
    this.#services = services
  }

  find(key: SessionKey): MaybePromise<Row> {
    return this.#services.store.sessions.find(key)
  }

  touch(key: SessionKey, binding: Binding): void {
    this.#services.store.sessions.touch(key, binding)
  }

  /** What a response does with the values that are keys. */
  changesBy({ setCookies }: ResponseHead): readonly KeyChange[] {
    if (setCookies.length === 0) return unchanged
    const now = this.#services.store.now()
    return this.sources.map((source) => source.changedBy(setCookies, now)).filter((change) => change !== undefined)
  }

  /** Binds if the row still has the version `seen`; whoever bound it before stays. Never rejects for want of a store. */
  async bind(source: LearnedKey, key: SessionKey, seen: number, backend: string): Promise<void> {
    const { age, lifetime } = this.#config
    const terms = { age, lifetime, source: source.name }
    await bindInForce(this.#services.store.sessions, { key, seen }, backend, terms).catch(unlessAway)
  }

  /** The application ended it. Nobody waits for that. */
  end(key: SessionKey): void {
    this.#services.store.sessions.end(key).catch(unlessAway)
  }
}

function unlessAway(cause: unknown): void {
  if (!(cause instanceof StoreUnavailable)) throw cause
}
