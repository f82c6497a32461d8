import { expect, test } from 'vitest'

import { closingFrame, FrameBounds } from './frame-bounds.ts'

const frame = (length: number, masked = false): Buffer => {
  const mask = masked ? 0x80 : 0
  const extended = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8)
  if (extended.length === 2) extended.writeUInt16BE(length)
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(length))
  const code = length < 126 ? length : length < 65_536 ? 126 : 127
  const head = Buffer.concat([Buffer.of(0x82, mask | code), extended, Buffer.alloc(masked ? 4 : 0)])
  return Buffer.concat([head, Buffer.alloc(length, 0xff)])
}

const cases = [0, 1, 125, 126, 65_535, 65_536].flatMap((length) => [
  { length, masked: false },
  { length, masked: true },
])

test.each(cases)('a frame of $length bytes, masked: $masked, ends exactly with its last byte', ({ length, masked }) => {
  const bounds = new FrameBounds()
  const bytes = Buffer.concat([frame(3), frame(length, masked)])

  bounds.pass(bytes.subarray(0, -1))
  expect(bounds.between).toBe(false)
  bounds.pass(bytes.subarray(-1))

  expect(bounds.between).toBe(true)
})

test('frames are followed byte by byte as well', () => {
  const bounds = new FrameBounds()
  const bytes = Buffer.concat([frame(2), frame(200, true), frame(0)])
  const ends = [4, 4 + 208, 4 + 208 + 2]

  for (let at = 0; at < bytes.length; at++) {
    bounds.pass(bytes.subarray(at, at + 1))
    expect(bounds.between, `after byte ${at + 1}`).toBe(ends.includes(at + 1))
  }
})

test('a closing frame has its code and leaves between frames', () => {
  const bounds = new FrameBounds()
  const closing = closingFrame(1012)

  bounds.pass(closing)

  expect(closing.readUInt16BE(2)).toBe(1012)
  expect(bounds.between).toBe(true)
})
