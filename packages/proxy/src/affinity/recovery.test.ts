import { setImmediate as endOfTurn } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { Browser, Cluster, type Node, sessionCookieConfig, type Visit } from './cluster.test-support.ts'
import { recoveryTable } from './recovery.ts'

const age = 60_000
const config = sessionCookieConfig({ age, recoverBy: ['JSESSIONID', 'PHPSESSID'] })
const login = { sets: ['JSESSIONID=one'], by: 'b' }

test('a session whose cookie of ours is missing is found again by its application’s, and our cookie is set anew', async () => {
  const { node, session } = await begun()

  const back = await node.visit('JSESSIONID=one')
  const next = await node.visit(back.added[0]!.split(';')[0])

  expect(back).toMatchObject({ by: 'b', session: { known: true, key: session.key, persistence: 'VU' } })
  expect(next).toMatchObject({ by: 'b', session: { key: session.key, persistence: 'VN' }, added: [] })
})

test('on every node, and with quotes around the value', async () => {
  const { cluster, session } = await begun()

  expect(await cluster.node(config).locate('JSESSIONID="one"')).toMatchObject({ key: session.key, home: ['b'] })
})

test('so is one whose cookie of ours does not open', async () => {
  const { node, session } = await begun()

  expect(await node.locate('sticky=forged; JSESSIONID=one')).toMatchObject({ key: session.key, home: ['b'] })
})

test.for([undefined, '', 'null', '""', 'other', 'ONE'])(
  'but not by the value %s, which no response has set',
  async (value) => {
    const { cluster, node } = await begun()

    const visit = await node.visit(value === undefined ? undefined : `JSESSIONID=${value}; PHPSESSID=${value}`)

    expect(visit).toMatchObject({ taken: false, session: { known: false } })
    expect(await rows(cluster)).toBe(1)
  },
)

test('a value that only requests bring is never learnt, not even from a known session', async () => {
  const { cluster, node, browser } = await begun()
  browser.jar.set('JSESSIONID', 'invented')
  cluster.now += age * 0.6

  expect((await browser.visit(node)).added).not.toEqual([])
  expect(await rows(cluster)).toBe(1)
  expect((await node.locate('JSESSIONID=invented')).known).toBe(false)
})

test('a session does not keep alive what leads to another one', async () => {
  const { cluster, node } = await begun()
  const other = new Browser()
  await other.visit(node, { sets: ['PHPSESSID=two'] })
  other.jar.set('JSESSIONID', 'one')
  cluster.touched.length = 0

  cluster.now += age * 0.6
  await other.visit(node)
  // Nobody waits for what is renewed.
  await endOfTurn()

  const rows = cluster.touched.filter(({ pool }) => pool === recoveryTable('shop'))
  expect(rows).toHaveLength(1)
})

test('without recoverBy nothing is learnt and nothing found', async () => {
  const { cluster, node } = await begun(sessionCookieConfig())

  expect(await rows(cluster)).toBe(0)
  expect((await node.locate('JSESSIONID=one')).known).toBe(false)
})

test('a new value, as after a login, leads to the same session', async () => {
  const { node, browser, session } = await begun()

  await browser.visit(node, { sets: ['JSESSIONID=two'] })

  expect(await node.locate('JSESSIONID=two')).toMatchObject({ key: session.key, home: ['b'] })
})

test.for(['JSESSIONID=; Max-Age=0', 'JSESSIONID=gone; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])(
  'a logout that sets %s ends that',
  async (deletion) => {
    const { cluster, node, browser } = await begun()

    await browser.visit(node, { sets: [deletion] })

    expect((await node.locate('JSESSIONID=one')).known).toBe(false)
    expect(await rows(cluster)).toBe(0)
  },
)

test('a value set again after a logout leads to the session that begins with it', async () => {
  const { node, browser } = await begun()
  await browser.visit(node, { sets: ['JSESSIONID=; Max-Age=0'] })

  const again = await new Browser().visit(node, { sets: ['JSESSIONID=one'], by: 'c' })

  expect(await node.locate('JSESSIONID=one')).toMatchObject({ key: again.session.key, home: ['c'] })
})

test('of two sessions that were given one value the last is found', async () => {
  const { node } = await begun()

  const other = await new Browser().visit(node, { sets: ['JSESSIONID=one'], by: 'c' })

  expect(await node.locate('JSESSIONID=one')).toMatchObject({ key: other.session.key, home: ['c'] })
})

test('after a move it is found where it moved', async () => {
  const { node, browser, session } = await begun()

  await browser.visit(node, { by: 'c' })

  expect(await node.locate('JSESSIONID=one')).toMatchObject({ key: session.key, home: ['c'] })
})

test('when the session has aged out or was ended, the request is a newcomer', async () => {
  const aged = await begun()
  aged.cluster.now += age * 1.2
  const ended = await begun()
  await ended.cluster.memory.sessions.end(ended.session.key!)

  for (const { node } of [aged, ended]) expect((await node.locate('JSESSIONID=one')).known).toBe(false)
})

test('as long as the session is used it can be found', async () => {
  const { cluster, node, browser, session } = await begun()

  for (let visits = 0; visits < 20; visits++) {
    cluster.now += age * 0.45
    await browser.visit(node)
  }

  cluster.now += age * 0.9
  expect(await node.locate('JSESSIONID=one')).toMatchObject({ key: session.key, home: ['b'] })
})

test('where the first cookie leads to a session that has ended, the next one is asked', async () => {
  const { cluster, node, session } = await begun()
  const other = await new Browser().visit(node, { sets: ['PHPSESSID=two'], by: 'c' })
  await cluster.memory.sessions.end(session.key!)

  expect(await node.locate('JSESSIONID=one; PHPSESSID=two')).toMatchObject({ key: other.session.key, home: ['c'] })
})

test.for(['invented', 'one'])(
  'for a second the store is asked once for the value %s, if it leads nowhere',
  async (value) => {
    const { cluster, node, session } = await begun()
    await cluster.memory.sessions.end(session.key!)
    const ask = async () => {
      for (let asked = 0; asked < 5; asked++) await node.locate(`JSESSIONID=${value}`)
      return cluster.shown.splice(0).length
    }
    cluster.shown.length = 0

    expect(await ask()).toBe(1)
    cluster.now += 1000
    expect(await ask()).toBe(1)
  },
)

test('a value that led nowhere leads somewhere as soon as it is set', async () => {
  const { node } = await begun()
  await node.locate('JSESSIONID=two')

  const { session } = await new Browser().visit(node, { sets: ['JSESSIONID=two'], by: 'c' })

  expect(await node.locate('JSESSIONID=two')).toMatchObject({ key: session.key, home: ['c'] })
})

test('a client may ask for 600 values a minute that lead nowhere; then it finds nothing, and others do', async () => {
  const { cluster, node, session } = await begun()
  cluster.shown.length = 0

  for (let asked = 0; asked < 700; asked++) await node.locate(`JSESSIONID=guess-${asked}`)

  expect(cluster.shown).toHaveLength(600)
  expect((await node.locate('JSESSIONID=one')).known).toBe(false)
  expect(await node.locate('JSESSIONID=one', false, '192.0.2.2')).toMatchObject({ key: session.key })
  cluster.now += 60_000
  await node.locate('JSESSIONID=guess-0')
  expect(cluster.shown).toHaveLength(602)
})

test('values that lead to sessions may be asked for without end', async () => {
  const { cluster, node } = await begun()
  cluster.shown.length = 0

  for (let asked = 0; asked < 700; asked++) await node.locate('JSESSIONID=one')

  expect(cluster.shown).toHaveLength(700)
})

test('an absence of the store is no answer: afterwards the value is looked up', async () => {
  const { cluster, node, session } = await begun()
  cluster.away = true
  expect((await node.locate('JSESSIONID=one')).known).toBe(false)
  cluster.away = false

  expect(await node.locate('JSESSIONID=one')).toMatchObject({ key: session.key })
})

test('while the store is away such a request is a newcomer, and what is set then is not learnt', async () => {
  const { cluster, node } = await begun()
  cluster.away = true

  const visit = await node.visit('JSESSIONID=one', { sets: ['PHPSESSID=three'] })

  expect(visit).toMatchObject({ session: { persistence: 'NI' }, taken: true })
})

async function begun(parts = config): Promise<{ cluster: Cluster; node: Node; browser: Browser } & Visit> {
  const cluster = new Cluster()
  const node = cluster.node(parts)
  const browser = new Browser()
  return { cluster, node, browser, ...(await browser.visit(node, login)) }
}

async function rows(cluster: Cluster): Promise<number> {
  const counted = await cluster.memory.sessions.count(recoveryTable('shop'))
  return [...counted.values()].reduce((sum, count) => sum + count, 0)
}
