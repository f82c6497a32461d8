import { createHmac } from 'node:crypto'

import type { NodeAnnouncement } from '@sticky/store'

import { KeyedHash } from './keyed-hash.ts'

/** What a keyring is made of: plain data, so that it can be sent to workers whenever it changes. */
export interface KeyringData {
  /** The configured secrets, or the cluster's one; the newest first, at least one. */
  readonly secrets: readonly string[]
  /** Ids of the keys that every live node has announced it opens; empty while that is not known. */
  readonly openedByAll: readonly string[]
  /** The cluster's `fingerprint` secret, which goes where keys go; undefined: as it was. */
  readonly fingerprint?: string | undefined
}

/** The keys of one pool's cookies under one secret. */
export interface SealingKey {
  readonly id: number
  readonly mac: KeyedHash
  readonly hint: KeyedHash
}

/** The id by which nodes announce that they open what this secret seals: 8 hexadecimal digits. */
export function keyId(secret: string): string {
  return derived(secret, 'key id').subarray(0, 4).toString('hex')
}

/** Ids of the keys all these nodes open. */
export function openedByAll(nodes: readonly Pick<NodeAnnouncement, 'opens'>[]): readonly string[] {
  const [first, ...others] = nodes
  return first === undefined ? [] : first.opens.filter((id) => others.every((node) => node.opens.includes(id)))
}

/** The secrets this process opens cookies with, and the one it seals with. */
export class Keyring {
  /** Grows when a key comes, goes or becomes the sealing one: what was derived from the ring is then stale. */
  generation = 0
  #data: KeyringData

  constructor(data: KeyringData) {
    this.#data = data
  }

  update(data: KeyringData): void {
    this.#data = data
    this.generation++
  }

  /** Every key of a pool, by id. */
  keysOf(pool: string): ReadonlyMap<number, SealingKey> {
    return new Map(this.#data.secrets.map((secret) => sealingKey(secret, pool)).map((key) => [key.id, key]))
  }

  /** The id of the newest key that every live node opens; failing that the oldest, which the others most likely know. */
  get sealing(): number {
    const { secrets, openedByAll } = this.#data
    const secret = secrets.find((secret) => openedByAll.includes(keyId(secret))) ?? secrets.at(-1)!
    return numeric(keyId(secret))
  }
}

function sealingKey(secret: string, pool: string): SealingKey {
  return {
    id: numeric(keyId(secret)),
    mac: new KeyedHash(derived(secret, `seal of ${pool}`)),
    hint: new KeyedHash(derived(secret, `hint of ${pool}`)),
  }
}

function numeric(id: string): number {
  return Number.parseInt(id, 16)
}

function derived(secret: string, purpose: string): Buffer {
  return createHmac('sha256', secret).update(purpose).digest()
}
