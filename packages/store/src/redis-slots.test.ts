import { expect, test } from 'vitest'

import { slotCount, slotOf, tagOf } from './redis-slots.ts'

// As redis-server 7.0's CLUSTER KEYSLOT has them.
test.each([
  ['foo', 12182],
  ['123456789', 12739],
  ['{user1000}.following', 3443],
  ['user1000', 3443],
  ['foo{}{bar}', 8363],
  ['foo{{bar}}zap', 4015],
  ['', 0],
])('%j lies in slot %i', (key, slot) => {
  expect(slotOf(key)).toBe(slot)
})

test('every slot has a tag, which is no pool’s', () => {
  for (let slot = 0; slot < slotCount; slot += 97) {
    expect(slotOf(`sticky:1:{${tagOf(slot)}}:changes`)).toBe(slot)
    expect(tagOf(slot)).toMatch(/^:/)
  }
})
