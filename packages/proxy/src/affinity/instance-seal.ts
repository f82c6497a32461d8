import { randomBytes, timingSafeEqual } from 'node:crypto'

import type { SealingKey } from './keyring.ts'
import { hintFor } from './seal.ts'

/**
 * The sealed name of an instance: 33 bytes as 44 base64url characters, other ones each time. It tells whoever lacks the secret
 * nothing, not even whether two of them name the same instance.
 *
 *     0 format · 1 key id · 5 nonce · 13 hint · 17 MAC
 */
export function sealInstance(instance: string, key: SealingKey): string {
  const bytes = Buffer.alloc(length)
  bytes[0] = format
  bytes.writeUInt32BE(key.id, 1)
  randomBytes(nonceLength).copy(bytes, nonceAt)
  bytes.writeUInt32BE(hintOf(instance, bytes, key), hintAt)
  bytes.write(macOf(bytes, key), macAt, length - macAt, 'latin1')
  return bytes.toString('base64url')
}

/** The instance of these that the text names, and the key that sealed it; undefined for whatever is not ours to the last bit. */
export function openInstance(
  text: string,
  instances: Iterable<string>,
  keys: ReadonlyMap<number, SealingKey>,
): { readonly instance: string; readonly keyId: number } | undefined {
  if (text.length !== characters) return undefined
  const bytes = Buffer.from(text, 'base64url')
  const key = bytes.length === length && bytes[0] === format ? keys.get(bytes.readUInt32BE(1)) : undefined
  if (key === undefined || !timingSafeEqual(Buffer.from(macOf(bytes, key), 'latin1'), bytes.subarray(macAt)))
    return undefined
  for (const instance of instances) {
    if (hintOf(instance, bytes, key) === bytes.readUInt32BE(hintAt)) return { instance, keyId: key.id }
  }
  return undefined
}

// Another than that of session cookies, whose MAC has the same key.
const format = 0x20
const nonceAt = 5
const nonceLength = 8
const hintAt = 13
const macAt = 17
const length = 33
const characters = 44

function hintOf(instance: string, bytes: Buffer, key: SealingKey): number {
  return hintFor(instance, `instance ${bytes.toString('latin1', nonceAt, hintAt)}`, key)
}

function macOf(bytes: Buffer, key: SealingKey): string {
  return key.mac.of(bytes.toString('latin1', 0, macAt)).slice(0, length - macAt)
}
