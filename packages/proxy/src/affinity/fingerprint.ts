import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

import type { SessionKey } from '@sticky/store'

import { Memo, ownCopy } from './memo.ts'

/** Keyed fingerprints of application cookies, whose values are never stored. */
export class Fingerprints {
  readonly #key: KeyObject
  readonly #cookies = new Memo<string>(16_384)

  /** The secret is the cluster's `fingerprint` and never rotates, or learned sessions would be orphaned. */
  constructor(secret: string) {
    this.#key = createSecretKey(secret, 'utf8')
  }

  /** A cookie's fingerprint for its row: 8 bytes as 11 base64url characters. */
  ofCookie(name: string, value: string): string {
    const pair = `${name}=${value}`
    const known = this.#cookies.get(pair)
    if (known !== undefined) return known
    const fingerprint = this.#digest(`cookie\0${pair}`, 8)
    this.#cookies.set(ownCopy(pair), fingerprint)
    return fingerprint
  }

  /** Makes the keys of sessions that are recognised by a value from that source; the same value gives the same object. */
  keysOf(pool: string, source: string): (value: string) => SessionKey {
    const keys = new Memo<SessionKey>(65_536)
    return (value) => {
      const known = keys.get(value)
      if (known !== undefined) return known
      const key = { pool, id: this.#digest(`key\0${pool}\0${source}\0${value}`, 16) }
      keys.set(ownCopy(value), key)
      return key
    }
  }

  #digest(text: string, bytes: number): string {
    return createHmac('sha256', this.#key).update(text, 'latin1').digest().subarray(0, bytes).toString('base64url')
  }
}
