import { randomFillSync } from 'node:crypto'

/** A new session id: 128 random bits as 22 base64url characters. */
export function newSessionId(): string {
  if (used === supply.length) {
    randomFillSync(supply)
    used = 0
  }
  used += bytesOfId
  return supply.toString('base64url', used - bytesOfId, used)
}

const bytesOfId = 16
/** Random bytes for 256 ids: asking for a few at a time costs twenty times as much. */
const supply = Buffer.alloc(256 * bytesOfId)
let used = supply.length
