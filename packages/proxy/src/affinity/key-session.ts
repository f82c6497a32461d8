import type { Binding, MaybePromise, Row, SessionKey, StoreBudget } from '@sticky/store'

import type { RefusalCode } from '../traffic/exchange-record.ts'
import type { Backend } from '../upstream/backend.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { type InForce, isRecalled } from './key-backup.ts'
import { beginningOf } from './key-body.ts'
import type { KeyKeeper } from './key-keeper.ts'
import type { KeyChange, LearnedKey } from './learned-key.ts'
import type { Client, OutgoingRequest, PersistenceCode, Session } from './strategy.ts'
import { unasked } from './unasked.ts'

/** What a key that a request brought leads to. */
export interface KeyFound<Found extends Row = Row> {
  readonly source: LearnedKey
  readonly key: SessionKey
  readonly row: Found
}

/** Whose request brings keys. */
export interface KeyAsker {
  readonly request: RequestHead
  readonly client: Client
  readonly budget: StoreBudget
}

const nowhere: readonly string[] = []
const nobody: readonly LearnedKey[] = []

/** A request's session as the keys it brought tell of it, be it known or not yet. */
export class KeySession implements Session {
  readonly home: readonly string[]
  key: SessionKey | undefined
  readonly #keeper: KeyKeeper
  readonly #request: RequestHead
  readonly #client: Client
  readonly #budget: StoreBudget
  readonly #found: KeyFound<Binding> | undefined
  readonly #misses: readonly KeyFound[]
  #came: 'N' | 'I' | 'E' | 'V' | 'D'
  #became: 'N' | 'P' | 'U' | 'D' = 'N'
  #hearing: readonly LearnedKey[] = nobody
  /** What our cookie is to say, where there is one. */
  #inForce: InForce | undefined

  /** `found` is the session that one of the request's keys led to; `misses` are those that were asked before and led to none. */
  constructor(
    keeper: KeyKeeper,
    { request, client, budget }: KeyAsker,
    found: KeyFound<Binding> | undefined,
    misses: readonly KeyFound[],
  ) {
    this.home = found === undefined ? nowhere : keeper.homeOf(found.row)
    this.key = found?.key
    this.#keeper = keeper
    this.#request = request
    this.#client = client
    this.#budget = budget
    this.#found = found
    this.#misses = misses
    this.#came = found === undefined ? codeOf(misses[0]) : 'V'
  }

  get known(): boolean {
    return this.#found !== undefined
  }

  get persistence(): PersistenceCode {
    return `${this.#came}${this.#became}`
  }

  get reason(): string {
    if (this.#found !== undefined) {
      const { source, key, row } = this.#found
      return `persistence-key: ${source.name} is the key of session ${key.id}, at home on ${row.backend}`
    }
    const sources = this.#misses.map(({ source }) => source.name)
    const outcome = this.#misses.some(({ row }) => row === unasked) ? 'cannot be asked for' : 'leads nowhere'
    if (sources.length > 0) return `persistence-key: the key of ${sources.join(' and of ')} ${outcome}`
    return `persistence-key: no key in ${this.#keeper.sources.map(({ name }) => name).join(' or ')}`
  }

  /** A home of another pool is none that could be away. */
  get whenAway(): RefusalCode | undefined {
    return this.home.length === 0 ? undefined : this.#keeper.whenAway
  }

  get maxSkew(): number | undefined {
    return this.#keeper.maxSkew
  }

  get awaitsBody(): boolean {
    return this.#hearing.length > 0
  }

  dispatched(_to: Backend, request: OutgoingRequest): void {
    this.#keeper.backup?.conceal(request)
  }

  served(by: Backend, response: ResponseHead): MaybePromise<boolean> {
    const taken = this.#serve(by, response)
    if (this.#keeper.backup === undefined) return taken
    return taken instanceof Promise ? taken.then((took) => this.#tell(took, response)) : this.#tell(taken, response)
  }

  #serve(by: Backend, response: ResponseHead): MaybePromise<boolean> {
    const found = this.#found
    if (found !== undefined) {
      if (by.id !== found.row.backend) this.#came = 'D'
      if (this.#keeper.ends(this.#request, response)) return this.#over(found.key)
    }
    this.#hearing = this.#keeper.heardBehind(response, this.#request, this.#client)
    const changes = this.#newsIn(this.#keeper.changesBy(response))
    const given = this.#givenBehind(response)
    return changes.length === 0 && given === undefined ? this.#keep(by) : this.#learn(changes, given, by)
  }

  heard(by: Backend, piece: Buffer): MaybePromise<void> {
    const beginning = beginningOf(piece)
    const binds = this.#hearing.flatMap((source) => {
      const key = source.heardIn(beginning)
      return key === undefined ? [] : [this.#begin(source, key, by)]
    })
    return binds.length === 0 ? undefined : Promise.all(binds).then(done)
  }

  /** Has our cookie say what is in force. */
  #tell(taken: boolean, response: ResponseHead): boolean {
    if (this.#inForce !== undefined) this.#keeper.backup!.tell(this.#inForce, this.#request, this.#client, response)
    return taken
  }

  #over(key: SessionKey): boolean {
    this.#keeper.end(key)
    this.#became = 'D'
    return true
  }

  /** Without the value a session is known by, set once more. */
  #newsIn(changes: readonly KeyChange[]): readonly KeyChange[] {
    const known = this.#found?.key.id
    return changes.length === 0 ? changes : changes.filter(({ set }) => set === undefined || set.id !== known)
  }

  /** The key that the request teaches: the first that it brings for that, before the one that led to its session. */
  #givenBehind({ status }: ResponseHead): KeyFound | undefined {
    // A backend in trouble is no home.
    if (this.#misses.length === 0 || status >= 500) return undefined
    return this.#misses.find(({ source }) => source.isGiven)
  }

  #keep(by: Backend): MaybePromise<boolean> {
    const found = this.#found
    if (found === undefined) return false
    const atHome = by.id === found.row.backend
    if (atHome ? isRecalled(found.row) : this.#keeper.mayMove(found.row)) return this.#move(found, by)
    if (atHome && this.#keeper.backup !== undefined) this.#inForce = inForceOf(found.key, found.row)
    this.#keeper.touch(found.key, found.row)
    return true
  }

  async #move(found: KeyFound, by: Backend): Promise<boolean> {
    this.#became = 'U'
    await this.#bind(found, by)
    return true
  }

  /** A binding that nobody could confirm is told as provisional. */
  async #bind({ source, key, row: { version, epoch } }: KeyFound, by: Backend): Promise<void> {
    const row = await this.#keeper.bind(source, { key, seen: version }, by.id, this.#budget)
    if (this.#keeper.backup === undefined) return
    if (row?.state === 'bound') this.#inForce = inForceOf(key, row)
    if (row === undefined)
      this.#inForce = { key, backend: by.id, version: version + 1, epoch, end: 0, provisional: true }
  }

  async #learn(changes: readonly KeyChange[], given: KeyFound | undefined, by: Backend): Promise<boolean> {
    const begun = given === undefined ? [] : [this.#begin(given.source, given.key, by)]
    for (const { source, set } of changes) {
      if (set === undefined) this.#end(source)
      else begun.push(this.#begin(source, set, by))
    }
    const taken = await Promise.all(begun)
    // A value that was replaced or deleted ages alone.
    const isReplaced = changes.some(({ source }) => source === this.#found?.source)
    if (!isReplaced) await this.#keep(by)
    return this.known || taken.includes(true)
  }

  /** False when so many sessions have begun that this one may not. */
  async #begin(source: LearnedKey, key: SessionKey, by: Backend): Promise<boolean> {
    const presented = this.#misses.find((miss) => miss.key.id === key.id)
    if (!this.#keeper.admits(presented && this.#client)) return false
    this.key = key
    this.#became = 'P'
    await this.#bind(presented ?? { source, key, row: unasked }, by)
    return true
  }

  #end(source: LearnedKey): void {
    const isFound = source === this.#found?.source
    const key = isFound ? this.#found?.key : source.presentedIn(this.#request, this.#client)
    if (key === undefined) return
    this.#keeper.end(key)
    if (this.known) this.#became = 'D'
  }
}

/** A value that is to be learnt is not invalid because nobody has learnt it yet. */
function codeOf(miss: KeyFound | undefined): 'N' | 'I' | 'E' {
  if (miss === undefined) return 'N'
  if (miss.row.state === 'ended') return 'E'
  return miss.source.isGiven ? 'N' : 'I'
}

function inForceOf(key: SessionKey, { backend, version, epoch, end }: Binding): InForce {
  return { key, backend, version, epoch, end, provisional: false }
}

function done(): void {}
