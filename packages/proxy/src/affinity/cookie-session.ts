import type { Binding, CookieRecord, MaybePromise, Row, SessionKey, StoreBudget } from '@sticky/store'

import type { Backend } from '../upstream/backend.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import type { OpenedCookie, SealTerms } from './sealer.ts'
import type { Reply, SessionKeeper } from './session-keeper.ts'
import type { Client, OutgoingRequest, PersistenceCode, Session } from './strategy.ts'
import { orAway } from './unasked.ts'

/** What tells of a session. */
export interface Evidence {
  readonly opened: OpenedCookie
  /** The name its cookie came by. */
  readonly name: string
  readonly client: Client
  /** The request's Cookie field. */
  readonly field: string
  /** Undefined when the store could not be asked. */
  readonly row: Row | undefined
  /** Did the store forget the row, or miss a change, so that the cookie's word is to be written there? */
  readonly forgotten: boolean
  readonly budget: StoreBudget
}

/** A session that its cookie and its row tell us of, or the cookie alone. */
export class CookieSession implements Session {
  readonly known = true
  readonly home: readonly string[]
  readonly #keeper: SessionKeeper
  readonly #evidence: Evidence
  #came: 'V' | 'D' = 'V'
  #became: 'N' | 'U' = 'N'

  constructor(keeper: SessionKeeper, evidence: Evidence, home: readonly string[]) {
    this.home = home
    this.#keeper = keeper
    this.#evidence = evidence
  }

  get key(): SessionKey {
    return this.#evidence.opened.key
  }

  get persistence(): PersistenceCode {
    return `${this.#came}${this.#became}`
  }

  get reason(): string {
    const { name, row, forgotten } = this.#evidence
    const tells = row === undefined ? 'the store cannot be asked' : forgotten ? 'the store forgot it' : 'its row tells'
    return `session-cookie: cookie ${name} names session ${this.key.id}, at home on ${this.home[0] ?? 'no backend we know'}; ${tells}`
  }

  dispatched(_to: Backend, request: OutgoingRequest): void {
    this.#keeper.cookie.conceal(request)
  }

  served(by: Backend, head: ResponseHead): MaybePromise<boolean> {
    const { field, budget } = this.#evidence
    const learnt = this.#keeper.recovery?.learn(head, field, this.key, by.id)
    const kept = this.#keep(by, head)
    if (learnt === undefined) return kept
    return Promise.all([kept, orAway(budget.within(learnt))]).then(([taken]) => taken)
  }

  #keep(by: Backend, head: ResponseHead): MaybePromise<boolean> {
    const { records, setsOurs } = this.#keeper.read(head)
    const [home] = this.home
    const atHome = by.id === home
    if (!atHome) this.#came = 'D'
    const binds = atHome ? this.#evidence.forgotten : this.#keeper.homes.mayLeave(home, this.#version)
    if (binds) return this.#bind(by.id, records, head)
    this.#renew(records)
    if (atHome && (setsOurs || this.#isDue())) this.#tellAgain(by.id, head)
    return true
  }

  get #binding(): Binding | undefined {
    const { row, forgotten } = this.#evidence
    return row?.state === 'bound' && !forgotten ? row : undefined
  }

  /** That of the binding which leads home; a provisional one is none of the store's. */
  get #version(): number {
    const { version, provisional, sealed } = this.#evidence.opened.seal
    return this.#binding?.version ?? (provisional ? sealed * 1000 : version)
  }

  #renew(records: readonly CookieRecord[]): void {
    const binding = this.#binding
    if (binding !== undefined) this.#keeper.touch(this.key, binding)
    this.#keeper.record(this.key, records)
  }

  /** Does the client's cookie say something old, or in an old way? */
  #isDue(): boolean {
    const { seal } = this.#evidence.opened
    const binding = this.#binding
    if (binding !== undefined && (binding.version !== seal.version || binding.epoch !== seal.epoch)) return true
    if (!this.#keeper.sealer.isCurrent(seal) || this.#isMisnamed()) return true
    return this.#keeper.now() > seal.sealed + this.#keeper.config.age / 2
  }

  /** A cookie that came by the lesser name gets the better one where the client can have it. */
  #isMisnamed(): boolean {
    const [best] = this.#keeper.cookie.names
    const { name, client } = this.#evidence
    return name !== best && this.#keeper.cookie.dressFor(client).name === best
  }

  #tellAgain(home: string, head: ResponseHead): void {
    const binding = this.#binding
    const terms = binding === undefined ? this.#sameTerms() : this.#keeper.termsOf(binding)
    this.#keeper.tell(this.#reply(head), this.key, home, terms)
    this.#became = 'U'
  }

  /** What the cookie says already, said now. */
  #sameTerms(): SealTerms {
    const { version, epoch, provisional, sealed, end } = this.#evidence.opened.seal
    const now = this.#keeper.now()
    const { age } = this.#keeper.config
    return { version, epoch, provisional, sealed: now, end: end < sealed + age ? end : now + age }
  }

  async #bind(backend: string, records: readonly CookieRecord[], head: ResponseHead): Promise<boolean> {
    const { row, opened, client, budget } = this.#evidence
    const seen = row?.version ?? opened.seal.version
    const claim = {
      key: this.key,
      seen,
      told: Math.max(seen, opened.seal.version),
      epoch: row?.epoch ?? opened.seal.epoch,
    }
    this.#became = 'U'
    const reply = this.#reply(head)
    const mayBind = row?.state !== 'absent' || this.#keeper.admits(client)
    if (mayBind) await this.#keeper.bind(claim, backend, records, reply, budget)
    else this.#keeper.tellAlone(claim, backend, reply)
    return true
  }

  #reply(head: ResponseHead): Reply {
    this.#keeper.recovery?.renew(this.#evidence.field, this.key)
    return { head, dress: this.#keeper.cookie.dressFor(this.#evidence.client) }
  }
}
