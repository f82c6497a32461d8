import type { SessionKey } from './store.ts'

const idLength = 16
const entryLength = idLength + 8

/**
 * Tells the changes in a message as lua/row.lua packs it: a pool, and for each session below which version what is held
 * of it is not in force. Anybody who may publish can send anything: at worst it makes us read a row again.
 */
export function readChanges(message: Buffer, tell: (key: SessionKey, below: number) => void): void {
  if (message.length < 1 + message[0]! + entryLength) return
  const pool = message.toString('latin1', 1, 1 + message[0]!)
  for (let at = 1 + message[0]!; at + entryLength <= message.length; at += entryLength) {
    const id = message.toString('base64url', at, at + idLength)
    tell({ pool, id }, message.readDoubleBE(at + idLength))
  }
}
