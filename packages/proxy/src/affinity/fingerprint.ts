import type { SessionKey } from '@sticky/store'

import { KeyedHash } from './keyed-hash.ts'
import { Memo, ownCopy } from './memo.ts'

/** Keyed fingerprints of application cookies, whose values are never stored. */
export class Fingerprints {
  #secret: string
  #hash: KeyedHash
  /** Grows with each change of the secret. */
  #generation = 0

  /** The secret is the cluster's `fingerprint` and never rotates, or learned sessions would be orphaned. */
  constructor(secret: string) {
    this.#secret = secret
    this.#hash = new KeyedHash(Buffer.from(secret))
  }

  /** Takes the cluster's secret in place of one that a node used while it could not know it. */
  update(secret: string | undefined): void {
    if (secret === undefined || secret === this.#secret) return
    this.#secret = secret
    this.#hash = new KeyedHash(Buffer.from(secret))
    this.#generation++
  }

  /** A cookie's fingerprint for its row: 8 bytes as 11 base64url characters. */
  ofCookie(name: string, value: string): string {
    return this.#digest(`cookie\0${name}=${value}`, 8)
  }

  /** Makes the keys of sessions that are recognised by a value from that source; the same value gives the same object. */
  keysOf(pool: string, source: string): (value: string) => SessionKey {
    const keys = new Memo<SessionKey>(65_536)
    let generation = this.#generation
    return (value) => {
      if (generation !== this.#generation) {
        keys.clear()
        generation = this.#generation
      }
      const known = keys.get(value)
      if (known !== undefined) return known
      const key = { pool, id: this.#digest(`key\0${pool}\0${source}\0${value}`, 16) }
      keys.set(ownCopy(value), key)
      return key
    }
  }

  #digest(text: string, bytes: number): string {
    scratch.write(this.#hash.of(text), 0, bytes, 'latin1')
    return scratch.toString('base64url', 0, bytes)
  }
}

const scratch = Buffer.alloc(16)
