import type { Milliseconds, SessionKey } from '@sticky/store'

import type { KeySource } from '../config/config.ts'
import { checkedPattern } from '../wire/linear-pattern.ts'
import type { RequestHead } from '../wire/request-head.ts'
import type { ResponseHead } from '../wire/response-head.ts'
import { unquoted } from './cookies.ts'
import type { Fingerprints } from './fingerprint.ts'
import { type AnswerReader, answerReader } from './key-answer.ts'
import { type KeyPlace, keyPlace } from './key-place.ts'
import type { Client } from './strategy.ts'

/** What a response does with the value of one source; `set` is undefined where it deletes it. */
export interface KeyChange {
  readonly source: LearnedKey
  readonly set: SessionKey | undefined
}

/** A source of values that are keys of sessions, and how they are learnt. */
export class LearnedKey {
  /** As `sticky-cli sessions` shows it. */
  readonly name: string
  /** Do requests teach its values, once they are answered? */
  readonly isGiven: boolean
  readonly #place: KeyPlace
  readonly #keyOf: (value: string) => SessionKey
  readonly #told: AnswerReader | undefined
  readonly #inBody: ((beginning: string) => string | undefined) | undefined

  /** `pool` is the one in whose table its keys are. */
  constructor(source: KeySource, pool: string, fingerprints: Fingerprints) {
    const learn = 'clientAddress' in source ? 'request' : source.learn
    this.#place = keyPlace(source)
    this.name = this.#place.name
    this.isGiven = learn === 'request'
    this.#keyOf = fingerprints.keysOf(pool, this.#place.namespace)
    this.#told = answerReader(source)
    this.#inBody = typeof learn === 'object' ? checkedPattern(learn.body).find : undefined
  }

  /** Do the heads of responses say anything of its values? */
  get isTold(): boolean {
    return this.#told !== undefined
  }

  /** Do the bodies of responses? */
  get isHeard(): boolean {
    return this.#inBody !== undefined
  }

  /** The key a request brings. */
  presentedIn(request: RequestHead, client: Client): SessionKey | undefined {
    const value = this.#place.valueIn(request, client)
    return value === undefined ? undefined : this.#key(value)
  }

  /** What a response's head does with it; undefined: nothing. */
  changedBy(response: ResponseHead, clock: { now(): Milliseconds }): KeyChange | undefined {
    const told = this.#told?.(response, clock)
    if (told === undefined) return undefined
    if (told.value === undefined) return { source: this, set: undefined }
    const key = this.#key(told.value)
    return key && { source: this, set: key }
  }

  /** The key that the beginning of a response's body names. */
  heardIn(beginning: string): SessionKey | undefined {
    const value = this.#inBody?.(beginning)
    return value === undefined ? undefined : this.#key(value)
  }

  /** A value that many clients share is no key. */
  #key(value: string): SessionKey | undefined {
    const text = unquoted(value)
    return text === '' || text === 'null' ? undefined : this.#keyOf(text)
  }
}
