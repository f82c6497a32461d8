/** How many slots a Redis Cluster spreads its keys over. */
export const slotCount = 16384

const crcOfByte = new Uint16Array(256).map((_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  return crc & 0xffff
})

/** The slot of a key: CRC16 (XMODEM) of its hash tag, or of the whole key without one. */
export function slotOf(key: string): number {
  const opening = key.indexOf('{')
  const closing = key.indexOf('}', opening + 1)
  const tagged = opening !== -1 && closing > opening + 1
  const hashed = Buffer.from(tagged ? key.slice(opening + 1, closing) : key)
  let crc = 0
  for (const byte of hashed) crc = ((crc << 8) & 0xffff) ^ crcOfByte[(crc >> 8) ^ byte]!
  return crc % slotCount
}

const tags = new Map<number, string>()
let tried = 0

/** A hash tag that lies in the slot, the same in every process. */
export function tagOf(slot: number): string {
  for (; !tags.has(slot); tried++) {
    const tag = `:${tried.toString(36)}`
    const its = slotOf(tag)
    if (!tags.has(its)) tags.set(its, tag)
  }
  return tags.get(slot)!
}
