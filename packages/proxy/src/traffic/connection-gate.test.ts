import { expect, test } from 'vitest'

import type { LimitConfig } from '../config/config.ts'
import { ConnectionGate } from './connection-gate.ts'
import { clientDescriptors } from './descriptors.ts'

function gate(limits: Partial<LimitConfig>, descriptors = Number.POSITIVE_INFINITY, workers = 1): ConnectionGate {
  const made = new ConnectionGate(descriptors, () => {})
  const whole = { head: 1, fields: 1, target: 1, body: undefined, minRate: 0 }
  const connections = { connections: undefined, connectionsPerClient: undefined }
  made.heed({ limits: { ...whole, ...connections, ...limits }, node: { id: 'n1', workers } })
  return made
}

test('without limits everybody is let in', () => {
  expect(gate({}).admits(1_000_000)).toBe(true)
})

test.each([
  [10, 1, 10],
  [10, 2, 5],
  [10, 3, 4],
])('of %i connections each of %i workers holds %i', (connections, workers, share) => {
  const door = gate({ connections }, undefined, workers)

  expect([door.admits(share - 1), door.admits(share)]).toEqual([true, false])
  expect(door.counts).toMatchObject({ limit: 1, descriptors: 0 })
})

test('where descriptors are fewer than connections allowed, they decide', () => {
  const door = gate({ connections: 100 }, 50)

  expect([door.admits(49), door.admits(50)]).toEqual([true, false])
  expect(door.counts).toMatchObject({ limit: 0, descriptors: 1 })
})

test('a client may have so many connections, and another when one is closed', () => {
  const door = gate({ connectionsPerClient: 2 })
  const first = door.entered('192.0.2.7')!

  expect([door.entered('192.0.2.7'), door.entered('192.0.2.7')]).toEqual(['192.0.2.7', undefined])
  door.left(first)

  expect(door.entered('192.0.2.7')).toBe('192.0.2.7')
  expect(door.entered('192.0.2.8')).toBe('192.0.2.8')
  expect(door.counts['client-limit']).toBe(1)
})

test('the addresses of an IPv6 network of 64 bits are one client', () => {
  const door = gate({ connectionsPerClient: 1 })

  expect(door.entered('2001:db8:1:1::1')).toBeDefined()
  expect(door.entered('2001:db8:1:1:ffff::2')).toBeUndefined()
  expect(door.entered('2001:db8:1:2::1')).toBeDefined()
})

test.each([
  ['Max open files            20000                20000                files', 14_952],
  ['Max open files            256                  256                  files', 144],
  ['Max open files            10                   10                   files', 1],
  ['Max open files            unlimited            unlimited            files', Number.POSITIVE_INFINITY],
  ['', Number.POSITIVE_INFINITY],
])('of "%s" clients get %d', (limits, descriptors) => {
  expect(clientDescriptors(`Limit\n${limits}\n`)).toBe(descriptors)
})
