import type { Binding, MaybePromise, Milliseconds, Row, SessionKey, SessionTable, StoreBudget } from '@sticky/store'

import type { PersistenceKeyConfig } from '../config/config.ts'
import { defaults } from '../config/defaults.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { cookieValueAt, findCookie, unquoted } from './cookies.ts'
import { OurCookie } from './our-cookie.ts'
import type { AffinityServices } from './registry.ts'
import { type OpenedCookie, Sealer } from './sealer.ts'
import { printSetCookie } from './set-cookie.ts'
import type { Client, OutgoingRequest } from './strategy.ts'
import { truthOf } from './truth.ts'
import { rowOrUnasked, unasked } from './unasked.ts'

/** A binding as a cookie tells of it, because no row does. Its `version` is what the row must still have to be written. */
interface Recalled extends Binding {
  readonly isRecalled: true
}

/** What is in force of a session when its response leaves. */
export interface InForce {
  readonly key: SessionKey
  readonly backend: string
  readonly version: number
  readonly epoch: number
  /** Absolute end, store time; 0 for none. */
  readonly end: Milliseconds
  /** Could nobody confirm it? */
  readonly provisional: boolean
}

/**
 * A sealed cookie of ours beside the keys of one pool's sessions. It says on which backend the session of a key lives, so that
 * any node finds it while the store is away, and after the store forgot it.
 */
export class KeyBackup {
  readonly #cookie: OurCookie
  readonly #sealer: Sealer
  readonly #age: Milliseconds
  readonly #store: AffinityServices['store']

  constructor({ age }: PersistenceKeyConfig, { pool, backends, keyring, store }: AffinityServices) {
    this.#cookie = new OurCookie({ ...defaults.ownCookie, domain: undefined, name: `sticky-key-${pool}` })
    this.#sealer = new Sealer(`${pool}+key`, backends, keyring)
    this.#age = age
    this.#store = store
  }

  /** The key's row, or what the request's cookie says in its place. */
  find(
    sessions: SessionTable,
    key: SessionKey,
    { cookie: field }: RequestHead,
    budget: StoreBudget,
  ): MaybePromise<Row> {
    const opened = this.#openedFor(key, field)
    const row = rowOrUnasked(sessions.find(key, opened?.seal.version), budget)
    if (opened === undefined) return row
    return row instanceof Promise ? row.then((found) => this.#judge(found, opened)) : this.#judge(row, opened)
  }

  /** Sets the cookie where the client's does not say so already. */
  tell(inForce: InForce, { cookie: field }: RequestHead, client: Client, response: ResponseHead): void {
    const now = this.#store.now()
    const opened = this.#openedFor(inForce.key, field)
    if (opened !== undefined && this.#says(opened, inForce, now)) return
    const { key, backend, version, epoch, provisional } = inForce
    const end = Math.min(now + this.#age, inForce.end || Number.POSITIVE_INFINITY)
    const value = this.#sealer.seal(key, backend, { version, epoch, sealed: now, end, provisional })
    const { name, attributes } = this.#cookie.dressFor(client)
    response.addCookie(printSetCookie(name, value, attributes), { keepPrivate: true })
  }

  conceal(request: OutgoingRequest): void {
    this.#cookie.conceal(request)
  }

  #openedFor({ id }: SessionKey, field: string | undefined): OpenedCookie | undefined {
    if (field === undefined) return undefined
    for (const name of this.#cookie.names) {
      for (let start = findCookie(field, name); start >= 0; start = findCookie(field, name, start)) {
        const opened = this.#sealer.open(unquoted(cookieValueAt(field, start)))
        if (opened?.seal.id === id) return opened
      }
    }
    return undefined
  }

  #judge(row: Row, { seal, home }: OpenedCookie): Row {
    const [backend] = home
    if (backend === undefined) return row
    if (row !== unasked && truthOf(row, seal, this.#age, this.#store) !== 'cookie') return row
    const recalled: Recalled = {
      ...{ state: 'bound', isRecalled: true, backend, version: row.version, epoch: row.epoch },
      ...{ created: seal.sealed, age: this.#age, deadline: this.#store.now() + this.#age, end: 0 },
    }
    return recalled
  }

  #says({ seal, home }: OpenedCookie, { backend, version, epoch }: InForce, now: Milliseconds): boolean {
    const isSame = seal.version === version && seal.epoch === epoch && home[0] === backend
    return isSame && this.#sealer.isCurrent(seal) && now <= seal.sealed + this.#age / 2
  }
}

/** Does only a cookie tell of it, so that it is to be written? */
export function isRecalled(binding: Binding): boolean {
  return (binding as Partial<Recalled>).isRecalled === true
}
