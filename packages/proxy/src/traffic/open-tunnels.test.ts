import { MemoryStore, type SessionKey } from '@sticky/store'
import { expect, test } from 'vitest'

import { OpenTunnels, type Tunnel } from './open-tunnels.ts'

const key: SessionKey = { pool: 'shop', id: 'A'.repeat(22) }
const other: SessionKey = { pool: 'shop', id: 'B'.repeat(22) }

test('of a session that moved, tunnels that lead elsewhere are closed, and no other', async () => {
  const { store, tunnels, open } = await opened()
  const [stays, leaves, anothers] = [open(key, 'b'), open(key, 'a'), open(other, 'a')]
  await store.sessions.move(key, 'b')

  await tunnels.recall(key)

  expect([stays, leaves, anothers].map(({ closings }) => closings)).toEqual([[], [1012], []])
})

test('of a session that ended all are closed', async () => {
  const { store, tunnels, open } = await opened()
  const both = [open(key, 'a'), open(key, 'a')]
  await store.sessions.end(key)

  await tunnels.recall(key)

  expect(both.map(({ closings }) => closings)).toEqual([[1012], [1012]])
})

test('whoever asks without reason closes nothing: the row decides', async () => {
  const { tunnels, open } = await opened()
  const tunnel = open(key, 'a')

  await tunnels.recall(key)
  await tunnels.recall({ pool: 'shop', id: 'nobody' })

  expect(tunnel.closings).toEqual([])
})

test('one that has ended by itself is not looked for, and the store is not asked', async () => {
  const { store, tunnels, open } = await opened()
  const tunnel = open(key, 'a')
  tunnels.delete(tunnel)
  tunnels.delete(tunnel)
  await store.sessions.end(key)

  await tunnels.recall(key)

  expect(tunnel.closings).toEqual([])
})

test('a tunnel without a session is nobody’s', async () => {
  const { tunnels, open } = await opened()
  const tunnel = open(undefined, 'a')

  tunnels.delete(tunnel)

  expect(tunnel.closings).toEqual([])
})

class FakeTunnel implements Tunnel {
  readonly backend: string
  readonly closings: number[] = []
  readonly #tunnels: OpenTunnels

  constructor(backend: string, tunnels: OpenTunnels) {
    this.backend = backend
    this.#tunnels = tunnels
  }

  closeTunnel(code: number): void {
    this.closings.push(code)
    this.#tunnels.delete(this)
  }
}

async function opened() {
  const store = new MemoryStore()
  const tunnels = new OpenTunnels(store.sessions)
  for (const each of [key, other]) await store.sessions.bind(each, 'a', 0, { age: 60_000, source: 'test' })
  const open = (session: SessionKey | undefined, backend: string): FakeTunnel => {
    const tunnel = new FakeTunnel(backend, tunnels)
    tunnels.add(tunnel, session)
    return tunnel
  }
  return { store, tunnels, open }
}
