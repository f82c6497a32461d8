import { describe, expect, test } from 'vitest'

import { cookieSource, persistenceKeyConfig } from '../config/parts.test-support.ts'
import { Browser, Cluster } from './cluster.test-support.ts'

const config = persistenceKeyConfig({ from: [cookieSource('JSESSIONID')], backup: 'cookie' })

async function begun() {
  const cluster = new Cluster()
  const [one, other] = [cluster.node(config), cluster.node(config)]
  const browser = new Browser()
  await browser.visit(one, { by: 'b', sets: ['JSESSIONID=A'] })
  return { cluster, one, other, browser }
}

describe('backup: cookie', () => {
  test('sets a cookie of ours once, which no backend sees', async () => {
    const { one, browser } = await begun()
    expect(browser.cookie).toContain('sticky-key-')

    const { added, sent } = await browser.visit(one, { by: 'b' })

    expect(added).toEqual([])
    expect(sent).toBe('JSESSIONID=A')
  })

  test('leads home on a node that never saw the session, while the store is away', async () => {
    const { cluster, other, browser } = await begun()
    cluster.away = true

    expect((await other.locate(browser.cookie)).home).toEqual(['b'])
  })

  test('writes the row again when the store forgot it', async () => {
    const { cluster, other, browser } = await begun()
    cluster.forget()

    await browser.visit(other, { by: 'b' })

    expect(await cluster.rows()).toMatchObject([{ backend: 'b' }])
  })

  test('begins nothing where the session was ended', async () => {
    const { cluster, other, browser } = await begun()
    const [row] = await cluster.rows()
    await cluster.memory.sessions.end(row!.key)

    expect((await other.locate(browser.cookie)).known).toBe(false)
  })

  test('says nothing of another key', async () => {
    const { cluster, other, browser } = await begun()
    cluster.away = true

    expect((await other.locate(browser.cookie!.replace('JSESSIONID=A', 'JSESSIONID=B'))).known).toBe(false)
  })

  test('a session begun while the store is away goes home on every node', async () => {
    const cluster = new Cluster()
    const [one, other] = [cluster.node(config), cluster.node(config)]
    const browser = new Browser()
    cluster.away = true

    await browser.visit(one, { by: 'b', sets: ['JSESSIONID=A'] })
    expect((await other.locate(browser.cookie)).home).toEqual(['b'])

    cluster.away = false
    await browser.visit(other, { by: 'b' })
    expect(await cluster.rows()).toMatchObject([{ backend: 'b' }])
  })
})
