import type { Binding, MaybePromise, Row, SessionKey, StoreBudget } from '@sticky/store'

import type { PersistenceKeyConfig } from '../config/config.ts'
import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { bindInForce } from './bind.ts'
import { Homes } from './homes.ts'
import { KeyBackup } from './key-backup.ts'
import { isReadable } from './key-body.ts'
import { type KeyChange, LearnedKey } from './learned-key.ts'
import type { AffinityServices } from './registry.ts'
import { quotaOf, type SessionQuota } from './session-quota.ts'
import type { Client } from './strategy.ts'
import { orAway, rowOrUnasked } from './unasked.ts'

const unchanged: readonly KeyChange[] = []
const nowhere: readonly string[] = []
const nobody: readonly LearnedKey[] = []

/** Keeps the sessions of one pool that values of its application or its clients name. */
export class KeyKeeper {
  readonly sources: readonly LearnedKey[]
  readonly maxSkew: number | undefined
  /** What a client is told when its session's home cannot serve. */
  readonly whenAway: RefusalCode | undefined
  /** Undefined unless a cookie of ours goes with the keys. */
  readonly backup: KeyBackup | undefined
  readonly #told: readonly LearnedKey[]
  readonly #heard: readonly LearnedKey[]
  readonly #homes: Homes
  readonly #quota: SessionQuota
  readonly #config: PersistenceKeyConfig
  readonly #services: AffinityServices

  constructor(config: PersistenceKeyConfig, services: AffinityServices) {
    const table = config.share ?? services.pool
    this.sources = config.from.map((source) => new LearnedKey(source, table, services.fingerprints))
    this.maxSkew = config.maxSkew
    this.whenAway = config.whenGone === 'gone' ? 'session-gone' : undefined
    this.backup = config.backup === 'cookie' ? new KeyBackup(config, services) : undefined
    this.#told = this.sources.filter(({ isTold }) => isTold)
    this.#heard = this.sources.filter(({ isHeard }) => isHeard)
    this.#homes = new Homes(services)
    this.#quota = quotaOf(config, table, services)
    this.#config = config
    this.#services = services
  }

  /** Never rejects for want of a store: `unasked` then, unless a cookie of ours tells. */
  find(key: SessionKey, request: RequestHead, budget: StoreBudget): MaybePromise<Row> {
    const { sessions } = this.#services.store
    if (this.backup !== undefined) return this.backup.find(sessions, key, request, budget)
    return rowOrUnasked(sessions.find(key), budget)
  }

  /** Renews the session. One whose backend may be gone from every node's configuration ages, for nothing else would end it. */
  touch(key: SessionKey, binding: Binding): void {
    if (this.#config.share === undefined && !this.#homes.know(binding.backend)) return
    this.#services.store.sessions.touch(key, binding)
  }

  /** The backends a session lives on; one of another pool's, which shares its keys with this one, is no home here. */
  homeOf({ backend }: Binding): readonly string[] {
    return this.#config.share === undefined || this.#homes.know(backend) ? this.#homes.at(backend) : nowhere
  }

  /** May the session be bound elsewhere? One of another pool's, which shares its keys with this one, stays there. */
  mayMove({ backend, version }: Binding): boolean {
    return this.#config.share === undefined ? this.#homes.mayLeave(backend, version) : this.#homes.know(backend)
  }

  /** Does the request end its session, thus answered? */
  ends({ method }: RequestHead, { status }: ResponseHead): boolean {
    return this.#config.endOn.includes(method) && status >= 200 && status < 300
  }

  /** What a response's head does with the values that are keys. */
  changesBy(response: ResponseHead): readonly KeyChange[] {
    let changes = unchanged
    for (const source of this.#told) {
      const change = source.changedBy(response, this.#services.store)
      if (change !== undefined) changes = [...changes, change]
    }
    return changes
  }

  /** The sources of which the body of that response may tell what the request did not. */
  heardBehind(response: ResponseHead, request: RequestHead, client: Client): readonly LearnedKey[] {
    if (this.#heard.length === 0 || !isReadable(response)) return nobody
    return this.#heard.filter((source) => source.presentedIn(request, client) === undefined)
  }

  /** May a session begin? `giver` is the client whose request gave its key, if one did. */
  admits(giver: Client | undefined): boolean {
    const refusal = this.#quota.refuses(giver)
    if (refusal === undefined) return true
    this.#services.sessionRefused?.(refusal)
    return false
  }

  /**
   * Binds if the row still has the version `seen`; whoever bound it before stays. Answers the row in force; undefined when
   * the store is away, or too slow: then it is in force on this worker alone.
   */
  bind(
    { name }: LearnedKey,
    claim: { readonly key: SessionKey; readonly seen: number },
    backend: string,
    budget: StoreBudget,
  ): Promise<Row | undefined> {
    const { age, lifetime } = this.#config
    const terms = { age, lifetime, source: name }
    return orAway(budget.within(bindInForce(this.#services.store.sessions, claim, backend, terms)))
  }

  /** The application ended it. Nobody waits for that. */
  end(key: SessionKey): void {
    void orAway(this.#services.store.sessions.end(key))
  }
}
