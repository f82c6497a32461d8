import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { expect, test } from 'vitest'
import { nowhere } from './near-places.ts'
import { NearTable } from './near-table.ts'
import type { Binding } from './store.ts'

const start = 1_800_000_000_000
const age = 1_800_000

const bindingOf = (version: number): Binding => ({
  ...{ state: 'bound', backend: `backend ${version % 3}`, version, epoch: 281_474_976_710_655 },
  ...{ created: start, age, deadline: start + age, end: 0, endsWithLastCookie: false, source: 'session-cookie' },
})

test('what is held is what was given, however many there are', () => {
  const table = new NearTable(5000)

  for (let n = 0; n < 6000; n++) table.hold({ pool: 'shop', id: `${n}` }, bindingOf(n), 7)

  expect(table.peek({ pool: 'shop', id: '999' })).toBe(nowhere)
  for (let n = 1000; n < 6000; n++) {
    const place = table.peek({ pool: 'shop', id: `${n}` })
    expect(table.bindingAt(place)).toEqual(bindingOf(n))
    expect(table.generationAt(place)).toBe(7)
  }
})

test('a session that takes the place of another one takes none of what the store was told of that', () => {
  const table = new NearTable(1)
  const cookies = [{ name: 'sid', fingerprint: 'one', age, attributes: '' }]
  const first = table.hold({ pool: 'shop', id: 'first' }, bindingOf(1), 7)
  table.written(first, start)
  table.record(first, cookies, start)

  const second = table.hold({ pool: 'shop', id: 'second' }, bindingOf(1), 7)

  expect(second).toBe(first)
  expect(table.isToBeRenewed(second, start)).toBe(true)
  expect(table.hasRecorded(second, cookies, start)).toBe(false)
})

test('a session takes less than 256 bytes, and keeps no response alive that its cookies were read from', () => {
  const sessions = 50_000
  const table = new NearTable(sessions)
  const before = bytesUsed()

  for (let n = 0; n < sessions; n++) {
    const id = Buffer.from(`${n}`.padStart(16, '-')).toString('base64url')
    const head = Buffer.from(`Set-Cookie: A.Long.Cookie.Name=${n}; Domain=shop.example.com; Path=/${'x'.repeat(2000)}`)
    const [name, attributes] = partsOf(head.toString('latin1'))
    const place = table.hold({ pool: 'shop', id }, bindingOf(start + n), 7)
    table.record(place, [{ name, fingerprint: id.slice(0, 11), age, attributes }], start)
  }

  expect((bytesUsed() - before) / sessions).toBeLessThan(256)
  expect(table.peek({ pool: 'shop', id: 'nobody' })).toBe(nowhere)
})

function partsOf(head: string): [name: string, attributes: string] {
  return [head.slice(12, 30), head.slice(head.indexOf('Domain'), head.indexOf('xxx'))]
}

function bytesUsed(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
