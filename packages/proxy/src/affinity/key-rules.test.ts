import { describe, expect, test } from 'vitest'

import type { KeySource, PersistenceKeyConfig } from '../config/config.ts'
import { persistenceKeyConfig } from '../config/parts.test-support.ts'
import { Cluster } from './cluster.test-support.ts'
import { exchange, locate } from './key-visits.test-support.ts'

const answered: KeySource = { header: 'Mcp-Session-Id', learn: 'response' }
const sent: KeySource = { header: 'X-Session', learn: 'request' }
const mcp = { fields: { 'Mcp-Session-Id': 'A' } }
const session = (value: string | number) => ({ fields: { 'X-Session': `${value}` } })

describe('endOn', () => {
  const rules = { from: [answered], endOn: ['DELETE'] }

  test('ends the session when its backend says yes', async () => {
    const { one, other } = await begun(rules)

    expect((await exchange(one, { line: 'DELETE /mcp', ...mcp }, { status: 204 })).persistence).toBe('VD')
    expect(await locate(other, mcp)).toMatchObject({ known: false, persistence: 'EN' })
  })

  test.for([
    ['DELETE /mcp', 405],
    ['GET /mcp', 200],
  ] as const)('does not by %s answered with %i', async ([line, status]) => {
    const { one, other } = await begun(rules)

    expect((await exchange(one, { line, ...mcp }, { status })).persistence).toBe('VN')
    expect((await locate(other, mcp)).known).toBe(true)
  })

  test('ends nothing for a stranger', async () => {
    const { one } = await begun(rules)

    const stranger = { line: 'DELETE /mcp', fields: { 'Mcp-Session-Id': 'B' } }
    expect((await exchange(one, stranger, { status: 204 })).persistence).toBe('IN')
  })
})

test.for([
  ['gone', 'session-gone'],
  ['rebind', undefined],
] as const)(
  'whenGone: %s says %j of a session whose backend is away, and nothing of a stranger',
  async ([rule, code]) => {
    const { one } = await begun({ from: [answered], whenGone: rule })

    expect((await locate(one, mcp)).whenAway).toBe(code)
    expect((await locate(one, {})).whenAway).toBeUndefined()
  },
)

test('maxSkew makes homes soft', async () => {
  const { one } = await begun({ from: [answered], maxSkew: 2 })

  expect((await locate(one, mcp)).maxSkew).toBe(2)
})

describe('two pools', () => {
  test('keep their keys apart', async () => {
    const { shop, sale } = pools(undefined)

    await exchange(shop, {}, { by: 'b', ...mcp })

    expect((await locate(sale, mcp)).known).toBe(false)
  })

  test('that share honour the keys of both, in one table', async () => {
    const { cluster, shop, sale } = pools('shop')

    await exchange(shop, {}, { by: 'b', ...mcp })
    await exchange(sale, {}, { by: 'c', fields: { 'Mcp-Session-Id': 'B' } })

    expect((await locate(sale, mcp)).home).toEqual(['b'])
    expect((await locate(shop, { fields: { 'Mcp-Session-Id': 'B' } })).home).toEqual(['c'])
    expect(await cluster.rows()).toHaveLength(2)
  })

  test('that share move no session to a backend the other does not have', async () => {
    const { shop, sale } = pools('shop', ['c', 'd'])
    await exchange(shop, {}, { by: 'a', ...mcp })

    const visit = await exchange(sale, mcp, { by: 'd' })

    expect(visit).toMatchObject({ known: true, home: [], whenAway: undefined, persistence: 'DN' })
    expect((await locate(shop, mcp)).home).toEqual(['a'])
  })

  function pools(share: string | undefined, backends = ['a', 'b', 'c']) {
    const cluster = new Cluster()
    const rules = { from: [answered], whenGone: 'gone' } as const
    const shop = cluster.node(persistenceKeyConfig(rules))
    const sale = cluster.node(persistenceKeyConfig({ ...rules, share }), { pool: 'sale', backends })
    return { cluster, shop, sale }
  }
})

describe('values that change with every request', () => {
  test('begin as many sessions as one client may, and are served all the same', async () => {
    const { cluster, one } = node({ from: [sent], newPerClient: { count: 5, per: 60_000 } })

    const visits = await Promise.all(rotating(20, (value) => exchange(one, session(value))))

    expect(visits.map(({ persistence }) => persistence)).toEqual([...Array(5).fill('NP'), ...Array(15).fill('NN')])
    expect(visits.at(-1)!.taken).toBe(false)
    expect(await cluster.rows()).toHaveLength(5)
    expect(cluster.refused).toEqual(Array(15).fill('client-limit'))
  })

  test('do not stop the sessions that are known, nor other clients', async () => {
    const { one } = node({ from: [sent], newPerClient: { count: 1, per: 60_000 } })
    await exchange(one, session('A'))

    expect((await exchange(one, session('A'))).persistence).toBe('VN')
    expect((await exchange(one, session('B'))).persistence).toBe('NN')
    expect((await exchange(one, { ...session('B'), from: '198.51.100.1' })).persistence).toBe('NP')
  })

  test('of an application that sets what requests bring count for their client', async () => {
    const { cluster, one } = node({ from: [answered], newPerClient: { count: 2, per: 60_000 } })
    const echoed = (value: number) => ({ fields: { 'Mcp-Session-Id': `${value}` } })

    await Promise.all(rotating(10, (value) => exchange(one, echoed(value), echoed(value))))

    expect(await cluster.rows()).toHaveLength(2)
  })

  test('fill a pool to its limit and no further, be they its own application’s', async () => {
    const { cluster, one } = node({ from: [answered], maxSessions: 7 })

    const visits = await Promise.all(
      rotating(20, (value) => exchange(one, {}, { fields: { 'Mcp-Session-Id': `${value}` } })),
    )

    expect(visits.filter(({ persistence }) => persistence === 'NN')).toHaveLength(13)
    expect(await cluster.rows()).toHaveLength(7)
    expect(cluster.refused).toEqual(Array(13).fill('pool-limit'))
  })

  test('of which a full pool refuses one leave its session where it is', async () => {
    const { one, other } = await begun({ from: [answered], maxSessions: 1 })

    const change = await exchange(one, mcp, { fields: { 'Mcp-Session-Id': 'B' } })

    expect(change).toMatchObject({ taken: true, persistence: 'VN' })
    expect((await locate(other, mcp)).home).toEqual(['b'])
  })

  function rotating<Outcome>(number: number, visit: (value: number) => Promise<Outcome>): Promise<Outcome>[] {
    return Array.from({ length: number }, (_, value) => visit(value))
  }
})

test('an unknown value hides no later one that requests teach, and shows in the code', async () => {
  const { cluster, one } = node({ from: [answered, sent] })

  const visit = await exchange(one, { fields: { 'Mcp-Session-Id': 'unknown', 'X-Session': 'A' } }, { by: 'c' })

  expect(visit.persistence).toBe('IP')
  expect(await cluster.rows()).toMatchObject([{ backend: 'c', source: 'header:X-Session' }])
})

function node(rules: Partial<PersistenceKeyConfig>) {
  const cluster = new Cluster()
  const config = persistenceKeyConfig(rules)
  return { cluster, one: cluster.node(config), other: cluster.node(config) }
}

/** A session on `b` under Mcp-Session-Id: A. */
async function begun(rules: Partial<PersistenceKeyConfig>) {
  const parts = node(rules)
  await exchange(parts.one, {}, { by: 'b', ...mcp })
  return parts
}
