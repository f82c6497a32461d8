import { expect, test } from 'vitest'

import { RedisKeys } from './redis-keys.ts'
import { slotOf } from './redis-slots.ts'

const keys = new RedisKeys('sticky', 'by slot')
const slotsOf = (...names: readonly string[]) => new Set(names.map(slotOf))

test('what one script touches lies in one slot, with the channel it publishes to', () => {
  const shard = ['epoch', 'backends', 'on:a'].map((name) => keys.shard('shop', 3) + name)
  const rows = `${keys.shard('shop', 3)}\u0000}{\u0001`

  expect(slotsOf(...shard, rows, keys.epoch('shop', 3), keys.backends('shop', 3)).size).toBe(1)
  expect(slotsOf(keys.index('shop', 3, 'a'), rows, keys.shardChanges('shop', 3)).size).toBe(1)
  expect(slotsOf(keys.load('shop'), keys.ledger('shop', 'w'), keys.turns('shop'), keys.meta('shop')).size).toBe(1)
  expect(slotsOf(keys.nodes(), keys.secret('x'), keys.orders(), keys.barrier('t'), keys.clusterChanges()).size).toBe(1)
})

test('the shards of a pool lie in slots of their own', () => {
  const shards = Array.from({ length: 16 }, (_, shard) => keys.epoch('shop', shard))

  expect(slotsOf(...shards).size).toBe(16)
})

test('one server has one channel, without a hash tag', () => {
  const one = new RedisKeys('sticky')

  expect(new Set([one.changes(), one.shardChanges('shop', 3), one.clusterChanges()])).toEqual(
    new Set(['sticky:1:changes']),
  )
})
