import { describe, expect, test } from 'vitest'

import { cookieSource, persistenceKeyConfig } from '../config/parts.test-support.ts'
import { Browser, Cluster, sessionCookieConfig } from './cluster.test-support.ts'
import { ScriptFolder } from './script.test-support.ts'

const keys = persistenceKeyConfig({ from: [cookieSource('id')] })
const script = `export const request = ({ use, cookie, persist }) => use(persist.lookup(cookie.get('id')))
  export const response = ({ setCookie, persist }) => persist.add(setCookie.get('id'))`

describe('the home of a session is taken out of the configuration', () => {
  test.each(['session-cookie', 'persistence-key', 'script'] as const)(
    '%s: from then on it lives with whoever serves it first',
    async (strategy) => {
      await using begun = await begin(strategy)
      const [one, other] = [begun.node(['a', 'b']), begun.node(['a', 'b'])]

      const first = await begun.browser.visit(one, { by: 'b' })

      expect(first).toMatchObject({ taken: true, session: { persistence: 'DU' } })
      expect((await other.locate(begun.browser.cookie)).home).toEqual(['b'])
      expect(begun.cluster.bound).toHaveLength(2)
    },
  )

  test('so it is where only its cookie tells, in which nobody finds that backend', async () => {
    await using begun = await begin('session-cookie')
    begun.cluster.forget()
    const after = begun.node(['a', 'b'])

    const first = await begun.browser.visit(after, { by: 'b' })

    expect(first).toMatchObject({ added: [expect.any(String)], session: { home: [], persistence: 'DU' } })
    expect((await begun.browser.visit(after)).by).toBe('b')
  })

  test('so it is while the store is away, as far as its cookie can tell', async () => {
    await using begun = await begin('session-cookie')
    begun.cluster.away = true
    const after = begun.node(['a', 'b'])

    await begun.browser.visit(after, { by: 'b' })

    expect((await begun.browser.visit(after)).by).toBe('b')
  })

  test('so it is when an exchange that began before the change bound it after that', async () => {
    await using begun = await begin('session-cookie')
    const after = begun.node(['a', 'b'])
    begun.cluster.now += 59_000
    const late = new Browser()
    await late.visit(begun.node(['a', 'b', 'c']), { by: 'c', sets: ['id=2'] })

    expect(await late.visit(after, { by: 'b' })).toMatchObject({ session: { home: ['c'], persistence: 'DU' } })
  })

  test('two nodes that serve it at once agree', async () => {
    await using begun = await begin('persistence-key')
    const [one, other] = [begun.node(['a', 'b']), begun.node(['a', 'b'])]

    await begun.browser.visit(one, { by: 'b', meanwhile: () => begun.browser.visit(other, { by: 'a' }) })

    expect((await one.locate(begun.browser.cookie)).home).toEqual(['a'])
  })
})

describe('the home of a session is one that only other nodes know as yet', () => {
  test.each(['session-cookie', 'persistence-key', 'script'] as const)(
    '%s: it stays there, whoever serves it meanwhile',
    async (strategy) => {
      await using begun = await begin(strategy, ['a', 'b'])

      const elsewhere = await begun.browser.visit(begun.behind, { by: 'b' })

      expect(elsewhere).toMatchObject({ taken: true, added: [], session: { home: ['c'], persistence: 'DN' } })
      expect((await begun.node(['a', 'b', 'c']).locate(begun.browser.cookie)).home).toEqual(['c'])
    },
  )

  test('it stays there when the store forgot it', async () => {
    await using begun = await begin('session-cookie', ['a', 'b'])
    begun.cluster.forget()

    const elsewhere = await begun.browser.visit(begun.behind, { by: 'b' })

    expect(elsewhere.added).toEqual([])
  })

  test('those nodes alone renew it', async () => {
    await using begun = await begin('session-cookie', ['a', 'b'])
    await begun.browser.visit(begun.behind, { by: 'b' })
    expect(begun.cluster.touched).toEqual([])

    await begun.browser.visit(begun.node(['a', 'b', 'c']))

    expect(begun.cluster.touched).toHaveLength(1)
  })

  test('it stays there when it was begun while the store was away', async () => {
    await using begun = await begin('session-cookie', ['a', 'b'], (cluster) => {
      cluster.away = true
    })

    const elsewhere = await begun.browser.visit(begun.behind, { by: 'b' })

    expect(elsewhere.added).toEqual([])
  })
})

/** A session that lives on c, and beside it a node that has served these backends since before. */
async function begin(
  strategy: 'session-cookie' | 'persistence-key' | 'script',
  before: readonly string[] = ['a', 'b', 'c'],
  prepare: (cluster: Cluster) => void = () => {},
) {
  const cluster = new Cluster()
  const folder = new ScriptFolder()
  const config = { 'session-cookie': sessionCookieConfig(), 'persistence-key': keys, script: folder.script(script) }
  const node = (backends: readonly string[]) =>
    cluster.node(config[strategy], { backends, ...(strategy === 'script' && { scripts: folder.hosts }) })
  const [behind, ahead] = [node(before), node(['a', 'b', 'c'])]
  await folder.scripts.open()
  cluster.now += 60_001
  prepare(cluster)
  const browser = new Browser()
  await browser.visit(ahead, { by: 'c', sets: ['id=1'] })
  return { cluster, browser, behind, node, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}
