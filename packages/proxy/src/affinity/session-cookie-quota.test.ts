import { expect, test } from 'vitest'

import { Browser, Cluster, sessionCookieConfig } from './cluster.test-support.ts'

test('sessions beyond maxSessions live where their cookies say, without a row, and the others keep theirs', async () => {
  const { cluster, node, other, browsers } = await begun({ maxSessions: 2 })

  const rows = await cluster.rows()
  const visits = [await browsers[3]!.visit(node), await browsers[3]!.visit(node), await browsers[0]!.visit(node)]

  expect(rows.map(({ backend }) => backend).toSorted()).toEqual(['a', 'b'])
  expect(new Set(cluster.refused)).toEqual(new Set(['pool-limit']))
  expect(visits.map(({ by, session }) => [by, session.known])).toEqual([
    ['b', true],
    ['b', true],
    ['a', true],
  ])
  expect((await other.locate(browsers[2]!.cookie)).home).toEqual(['a'])
  expect(await cluster.rows()).toHaveLength(2)
})

test('a session without a row moves, and gets one as soon as there is room', async () => {
  const { cluster, node, other, browsers } = await begun({ maxSessions: 2 })
  const [, , , last] = browsers

  await last!.visit(node, { by: 'c' })
  expect((await other.locate(last!.cookie)).home).toEqual(['c'])
  for (const { key } of await cluster.rows()) await cluster.memory.sessions.end(key)
  cluster.now += 1_000
  await last!.visit(node)
  await counted()
  await last!.visit(node)

  expect(await cluster.rows()).toMatchObject([{ backend: 'c' }])
  expect((await last!.visit(node)).added).toEqual([])
})

test('a client begins as many in the store as newPerClient allows', async () => {
  const { cluster, node, browsers } = await begun({ newPerClient: { count: 3, per: 30_000 } })

  expect(cluster.refused).toEqual(['client-limit'])
  expect(await cluster.rows()).toHaveLength(3)
  cluster.now += 30_000
  await browsers[3]!.visit(node)

  expect(await cluster.rows()).toHaveLength(4)
})

test('one that has a row is asked for no room: it is renewed and moves', async () => {
  const { cluster, node, browsers } = await begun({ maxSessions: 4 })

  await browsers[0]!.visit(node)
  await browsers[0]!.visit(node, { by: 'c' })

  expect(cluster.refused).toEqual([])
  expect((await cluster.rows()).map(({ backend }) => backend).toSorted()).toEqual(['a', 'b', 'b', 'c'])
})

/** Four sessions on a and b in turn, begun by one node within these limits. */
async function begun(limits: Parameters<typeof sessionCookieConfig>[0]) {
  const cluster = new Cluster()
  const config = sessionCookieConfig({ begin: 'always', ...limits })
  const [node, other] = [cluster.node(config), cluster.node(config)]
  const browsers = ['a', 'b', 'a', 'b'].map(() => new Browser())
  for (const [index, browser] of browsers.entries()) await browser.visit(node, { by: index % 2 === 0 ? 'a' : 'b' })
  return { cluster, node, other, browsers }
}

/** The answers that are on their way have come. */
async function counted(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
