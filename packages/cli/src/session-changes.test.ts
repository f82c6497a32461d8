import { apiVersion, type SessionResource } from '@sticky/proxy/admin-api'
import { expect, test } from 'vitest'

import { SessionChanges } from './session-changes.ts'

const time = '2026-05-01T12:00:00.000Z'

test('the first look finds nothing, however many sessions live', async () => {
  const changes = new SessionChanges()

  expect(await look(changes, { s1: 'a', s2: 'b' })).toEqual([])
})

test('a session that was not there has begun', async () => {
  const changes = new SessionChanges()
  await look(changes, {})

  expect(await look(changes, { s1: 'a' })).toEqual([{ event: 'begun', time, id: 's1', pool: 'shop', backend: 'a' }])
  expect(await look(changes, { s1: 'a' })).toEqual([])
})

test('a session on another backend has moved', async () => {
  const changes = new SessionChanges()
  await look(changes, { s1: 'a' })

  expect(await look(changes, { s1: 'b' })).toEqual([
    { event: 'moved', time, id: 's1', pool: 'shop', backend: 'b', from: 'a' },
  ])
})

test('a session has ended when two looks in a row miss it', async () => {
  const changes = new SessionChanges()
  await look(changes, { s1: 'a' })

  expect(await look(changes, {})).toEqual([])
  expect(await look(changes, {})).toEqual([{ event: 'ended', time, id: 's1', pool: 'shop', backend: 'a' }])
  expect(await look(changes, {})).toEqual([])
})

test('a session one look missed, because it moved meanwhile, has only moved', async () => {
  const changes = new SessionChanges()
  await look(changes, { s1: 'a' })

  expect(await look(changes, {})).toEqual([])
  expect(await look(changes, { s1: 'b' })).toMatchObject([{ event: 'moved' }])
})

test('a look that breaks off ends no session', async () => {
  const changes = new SessionChanges()
  await look(changes, { s1: 'a', s2: 'a' })

  await expect(collected(changes.look(breaking(listing({ s1: 'a' })), time))).rejects.toThrow('broke off')

  expect(await look(changes, { s1: 'a', s2: 'a' })).toEqual([])
})

async function look(changes: SessionChanges, living: Record<string, string>): Promise<unknown[]> {
  return await collected(changes.look(listing(living), time))
}

async function* listing(living: Record<string, string>): AsyncGenerator<SessionResource> {
  for (const [id, backend] of Object.entries(living)) yield session(id, backend)
}

async function* breaking(sessions: AsyncIterable<SessionResource>): AsyncGenerator<SessionResource> {
  yield* sessions
  throw new Error('broke off')
}

function session(id: string, backend: string): SessionResource {
  const ages = { created: time, touched: time, idle: 0, age: 60, expires: time, ends: null, endsWithLastCookie: false }
  return { apiVersion, id, pool: 'shop', backend, version: 1, source: 'session-cookie', cookies: 0, ...ages }
}

async function collected<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = []
  for await (const value of values) all.push(value)
  return all
}
