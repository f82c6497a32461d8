import { expect, test, vi } from 'vitest'
import { type UnconfirmedBind, UnconfirmedBinds } from './near-unconfirmed.ts'
import { StoreUnavailable } from './store.ts'

const bindOf = (n: number): UnconfirmedBind => ({
  key: { pool: 'shop', id: `${n}` },
  backend: 'a',
  seen: 0,
  terms: { age: 1000, source: 'test' },
})

test('the bindings of a master that is dead hold up no others, be they ever so many', async () => {
  const written: string[] = []
  using binds = new UnconfirmedBinds(async ({ key }) => {
    if (Number(key.id) < 1000) throw new StoreUnavailable('its master is dead')
    written.push(key.id)
  })
  for (let n = 0; n < 1300; n++) binds.add(bindOf(n))

  while (written.length < 300) await binds.offer()

  expect(written).toHaveLength(300)
  expect(binds.has(bindOf(0).key)).toBe(true)
  expect(binds.has(bindOf(1299).key)).toBe(false)
})

test('a binding of a session that ends while others are offered is not written', async () => {
  const written: string[] = []
  using binds = new UnconfirmedBinds(async ({ key }) => {
    written.push(key.id)
    binds.remove(bindOf(999).key)
  })
  for (let n = 0; n < 1000; n++) binds.add(bindOf(n))

  await binds.offer()

  expect(written).toHaveLength(999)
})

test('what is refused is offered again', async () => {
  let refused = 0
  using binds = new UnconfirmedBinds(async () => {
    if (refused++ === 0) throw new StoreUnavailable('not yet')
  })
  binds.add(bindOf(1))

  await binds.offer()

  await vi.waitFor(() => expect(binds.has(bindOf(1).key)).toBe(false), 3000)
})
