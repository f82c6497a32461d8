import { timingSafeEqual } from 'node:crypto'

import type { Milliseconds } from '@sticky/store'

import type { SealingKey } from './keyring.ts'

/**
 * The value of our cookie: 66 bytes as 88 base64url characters. It says nothing of a backend to whoever lacks the secret.
 *
 *     0 format and flags · 1 key id · 5 session id · 21 hint · 25 version · 32 epoch · 39 sealed · 45 natural end · 50 MAC
 */
export interface Seal {
  /** Which key sealed it. */
  readonly keyId: number
  /** The session's id, 22 base64url characters. */
  readonly id: string
  /** Tells a holder of the key which backend is meant: it is `hintFor` that backend. */
  readonly hint: number
  /** The binding's version; 53 bits. */
  readonly version: number
  /** The shard's epoch; 53 bits. */
  readonly epoch: number
  /** Store time. */
  readonly sealed: Milliseconds
  /** When the session ends if it is never used again, as far as was known when it was sealed; store time. */
  readonly end: Milliseconds
  /** No bind was confirmed: the row may never have been written. */
  readonly provisional: boolean
}

/** Writes a cookie's value. */
export function writeSeal(seal: Omit<Seal, 'keyId'>, key: SealingKey): string {
  const bytes = scratch
  bytes[0] = format | (seal.provisional ? provisionalFlag : 0)
  bytes.writeUInt32BE(key.id, 1)
  bytes.write(seal.id, 5, 16, 'base64url')
  bytes.writeUInt32BE(seal.hint, 21)
  write53(bytes, seal.version, 25)
  write53(bytes, seal.epoch, 32)
  bytes.writeUIntBE(seal.sealed, 39, 6)
  bytes.writeUIntBE(Math.min(Math.max(seal.end - seal.sealed, 0), longest), 45, 5)
  bytes.write(macOf(bytes, key), macAt, macLength, 'latin1')
  return bytes.toString('base64url')
}

/** Reads a cookie's value; undefined for whatever no key of these has sealed, to the last bit. */
export function readSeal(text: string, keys: ReadonlyMap<number, SealingKey>): Seal | undefined {
  if (text.length !== characters) return undefined
  const bytes = Buffer.from(text, 'base64url')
  const key = bytes.length === length ? keys.get(bytes.readUInt32BE(1)) : undefined
  if (key === undefined || (bytes[0]! & ~provisionalFlag) !== format) return undefined
  scratchMac.write(macOf(bytes, key), 0, macLength, 'latin1')
  if (!timingSafeEqual(scratchMac, bytes.subarray(macAt))) return undefined
  // Decoding is lenient: only the one spelling we write is ours.
  return bytes.toString('base64url') === text ? decoded(bytes) : undefined
}

/** What stands for a backend in the cookie of that session. */
export function hintFor(backend: string, session: string, key: SealingKey): number {
  scratchMac.write(key.hint.of(session + backend), 0, 4, 'latin1')
  return scratchMac.readUInt32BE(0)
}

const format = 0x10
const provisionalFlag = 0x01
const macAt = 50
const length = 66
const characters = 88
const longest: Milliseconds = 2 ** 40 - 1
const scratch = Buffer.alloc(length)
const macLength = length - macAt
const scratchMac = Buffer.alloc(macLength)

function macOf(bytes: Buffer, key: SealingKey): string {
  return key.mac.of(bytes.toString('latin1', 0, macAt))
}

function decoded(bytes: Buffer): Seal {
  const sealed = bytes.readUIntBE(39, 6)
  return {
    keyId: bytes.readUInt32BE(1),
    id: bytes.toString('base64url', 5, 21),
    hint: bytes.readUInt32BE(21),
    version: read53(bytes, 25),
    epoch: read53(bytes, 32),
    sealed,
    end: sealed + bytes.readUIntBE(45, 5),
    provisional: (bytes[0]! & provisionalFlag) !== 0,
  }
}

function write53(bytes: Buffer, value: number, at: number): void {
  bytes.writeUIntBE(Math.floor(value / 2 ** 32), at, 3)
  bytes.writeUInt32BE(value % 2 ** 32, at + 3)
}

function read53(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, 3) * 2 ** 32 + bytes.readUInt32BE(at + 3)
}
