import { expect, test } from 'vitest'

import { readSlotRanges } from './redis-cluster-map.ts'
import { redirectionIn } from './redis-redirection.ts'
import { StoreUnavailable } from './store.ts'

const refused = (message: string) => new StoreUnavailable('Redis refused MGET', { cause: new Error(message) })

test.each([
  ['MOVED 3999 127.0.0.1:6381', { kind: 'MOVED', address: { host: '127.0.0.1', port: 6381 } }],
  ['ASK 3999 redis-2.example:6381', { kind: 'ASK', address: { host: 'redis-2.example', port: 6381 } }],
  ['MOVED 3999 ::1:6381', { kind: 'MOVED', address: { host: '::1', port: 6381 } }],
  ['MOVED 3999 :6381', { kind: 'MOVED', address: { host: '', port: 6381 } }],
])('%s leads elsewhere', (message, redirection) => {
  expect(redirectionIn(refused(message))).toEqual(redirection)
})

test.each([
  'TRYAGAIN Multiple keys request during rehashing of slot',
  'CLUSTERDOWN The cluster is down',
  'MOVED',
  'ERR',
])('%s leads nowhere', (message) => {
  expect(redirectionIn(refused(message))).toBeUndefined()
  expect(redirectionIn(new Error(message))).toBeUndefined()
})

test('a node that does not know its own name is called as it was asked', () => {
  const text = (value: string) => Buffer.from(value)
  const reply = [
    [0, 100, [null, 7000, text('id'), []], [text('10.0.0.2'), 7001, text('id'), []]],
    [101, 16383, [text(''), 7002, text('id')]],
  ]

  expect(readSlotRanges(reply, { host: 'redis.example', port: 7000 })).toEqual([
    {
      first: 0,
      last: 100,
      nodes: [
        { host: 'redis.example', port: 7000 },
        { host: '10.0.0.2', port: 7001 },
      ],
    },
    { first: 101, last: 16383, nodes: [{ host: 'redis.example', port: 7002 }] },
  ])
})
