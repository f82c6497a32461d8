import type { SessionKey } from '@sticky/store'

import type { Keyring, SealingKey } from './keyring.ts'
import { Memo, ownCopy } from './memo.ts'
import { hintFor, readSeal, type Seal, writeSeal } from './seal.ts'

/** A cookie of ours as a request brought it, opened. */
export interface OpenedCookie {
  readonly seal: Seal
  readonly key: SessionKey
  /** The backend that its hint means, if this node knows it. */
  readonly home: readonly string[]
}

/** What sealing needs besides the session and its backend. */
export type SealTerms = Pick<Seal, 'version' | 'epoch' | 'sealed' | 'end' | 'provisional'>

/** Seals and opens the cookies of one pool; remembers those it has seen, so that a known one costs no cryptography. */
export class Sealer {
  readonly #pool: string
  readonly #backends: Iterable<string>
  readonly #keyring: Keyring
  readonly #seen = new Memo<OpenedCookie>(65_536)
  #keys: ReadonlyMap<number, SealingKey> = new Map()
  #sealing = 0
  #generation = -1

  constructor(pool: string, backends: Iterable<string>, keyring: Keyring) {
    this.#pool = pool
    this.#backends = backends
    this.#keyring = keyring
  }

  /** Undefined for whatever is not ours, or sealed with a key that was taken away. */
  open(text: string): OpenedCookie | undefined {
    if (this.#generation !== this.#keyring.generation) this.#renewKeys()
    const seen = this.#seen.get(text)
    if (seen !== undefined) return seen
    const seal = readSeal(text, this.#keys)
    return seal && this.#remember(ownCopy(text), seal)
  }

  /** The value that says so of the session. It is remembered when it comes back: many a newcomer's never does. */
  seal(session: SessionKey, backend: string, terms: SealTerms): string {
    if (this.#generation !== this.#keyring.generation) this.#renewKeys()
    const key = this.#keys.get(this.#sealing)!
    return writeSeal({ ...terms, id: session.id, hint: hintFor(backend, session.id, key) }, key)
  }

  /** Is it sealed with the key that new cookies are sealed with? */
  isCurrent(seal: Seal): boolean {
    return seal.keyId === this.#sealing
  }

  #remember(text: string, seal: Seal): OpenedCookie {
    const key = { pool: this.#pool, id: seal.id }
    const opened = new LazilyHomed(seal, key, this.#keys.get(seal.keyId)!, this.#backends)
    this.#seen.set(text, opened)
    return opened
  }

  #renewKeys(): void {
    this.#seen.clear()
    this.#keys = this.#keyring.keysOf(this.#pool)
    this.#sealing = this.#keyring.sealing
    this.#generation = this.#keyring.generation
  }
}

/** Tries the backends against the hint only when somebody asks: mostly the row tells. */
class LazilyHomed implements OpenedCookie {
  readonly seal: Seal
  readonly key: SessionKey
  readonly #sealing: SealingKey
  readonly #backends: Iterable<string>
  #home: readonly string[] | undefined

  constructor(seal: Seal, key: SessionKey, sealing: SealingKey, backends: Iterable<string>) {
    this.seal = seal
    this.key = key
    this.#sealing = sealing
    this.#backends = backends
  }

  get home(): readonly string[] {
    this.#home ??= this.#hinted()
    return this.#home
  }

  #hinted(): readonly string[] {
    for (const backend of this.#backends) {
      if (hintFor(backend, this.seal.id, this.#sealing) === this.seal.hint) return [backend]
    }
    return []
  }
}
