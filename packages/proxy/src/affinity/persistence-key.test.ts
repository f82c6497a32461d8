import { describe, expect, test } from 'vitest'
import { cookieSource, persistenceKeyConfig } from '../config/parts.test-support.ts'
import { requestHead } from '../wire/heads.test-support.ts'
import { Browser, Cluster } from './cluster.test-support.ts'
import { wholeSite } from './strategy.ts'

describe('a key is learned', () => {
  test('from the response that sets it, and every node honours it on the next request', async () => {
    const { cluster, browser, one, other } = twoNodes()

    const first = await browser.visit(one, { by: 'b', sets: ['JSESSIONID=A; Path=/; HttpOnly'] })
    const second = await other.locate(browser.cookie)

    expect(first).toMatchObject({ taken: true, added: [], session: { known: false, persistence: 'NP' } })
    expect(second).toMatchObject({ known: true, home: ['b'], persistence: 'VN', key: first.session.key })
    expect(await cluster.rows()).toMatchObject([{ backend: 'b', source: 'cookie:JSESSIONID', age: 300_000 }])
  })

  test('never from a request', async () => {
    const { cluster, one } = twoNodes()

    const visit = await one.visit('JSESSIONID=A')

    expect(visit).toMatchObject({ taken: false, session: { known: false, persistence: 'IN' } })
    expect(await cluster.rows()).toEqual([])
  })

  test.for([
    ['JSESSIONID='],
    ['JSESSIONID=""'],
    ['JSESSIONID=null'],
    ['JSESSIONID="null"'],
    ['jsessionid=A'],
    ['JSESSIONIDX=A'],
    ['other=JSESSIONID=A'],
    ['JSESSIONID'],
    ['JSESSIONID=A; Max-Age=0'],
  ])('not from %j', async ([field]) => {
    const { cluster, one } = twoNodes()

    expect((await one.visit(undefined, { sets: [field!] })).taken).toBe(false)
    expect(await cluster.rows()).toEqual([])
  })

  test.for([
    ['JSESSIONID=B; Path=/', 'a=1', 'JSESSIONID=A'],
    ['JSESSIONID=; Max-Age=0', 'a=1', 'JSESSIONID=A'],
    ['JSESSIONID=A; Path=/shop', 'JSESSIONID=; Path=/shop/; Max-Age=0'],
  ])('from the last of several of its name that sets a value: %j', async (sets) => {
    const { browser, one } = twoNodes()

    await browser.visit(one, { by: 'b', sets })

    expect((await one.locate('JSESSIONID=A')).home).toEqual(['b'])
  })

  test('by the first of two nodes at once; the other adopts its choice', async () => {
    const { one, other } = twoNodes()

    await Promise.all([
      one.visit(undefined, { by: 'a', sets: ['JSESSIONID=A'] }),
      other.visit(undefined, { by: 'b', sets: ['JSESSIONID=A'] }),
    ])

    const homes = [(await one.locate('JSESSIONID=A')).home, (await other.locate('JSESSIONID=A')).home]
    expect(homes).toEqual([['a'], ['a']])
  })

  test('from any of several sources, in their order', async () => {
    const cluster = new Cluster()
    const node = cluster.node(persistenceKeyConfig({ from: [cookieSource('sid'), cookieSource('JSESSIONID')] }))

    await node.visit(undefined, { by: 'b', sets: ['JSESSIONID=A'] })
    await node.visit(undefined, { by: 'c', sets: ['sid=A'] })

    expect((await node.locate('JSESSIONID=A')).home).toEqual(['b'])
    expect((await node.locate('JSESSIONID=A; sid=A')).home).toEqual(['c'])
    expect((await node.locate('JSESSIONID=A; sid=unknown')).home).toEqual(['b'])
    expect(await node.locate('JSESSIONID=B; sid=unknown')).toMatchObject({ known: false, persistence: 'IN' })
  })
})

describe('a session with a key', () => {
  test.for([['JSESSIONID="A"'], ['x=1; JSESSIONID=A; y="'], ['x="; JSESSIONID=A'], ['JSESSIONID=A; JSESSIONID=B']])(
    'is recognised by %j',
    async ([cookie]) => {
      const { one } = await begun()

      expect((await one.locate(cookie)).known).toBe(true)
    },
  )

  test.for([['JSESSIONID=B; JSESSIONID=A'], ['JSESSIONID=a'], ['JSESSIONID=']])(
    'is not recognised by %j',
    async ([cookie]) => {
      const { one } = await begun()

      expect((await one.locate(cookie)).known).toBe(false)
    },
  )

  test('keeps its cookie towards the backend', async () => {
    const { one } = await begun()

    expect((await one.visit('x=1; JSESSIONID=A')).sent).toBe('x=1; JSESSIONID=A')
  })

  test('answers without a promise', async () => {
    const { one } = await begun()
    const request = requestHead('GET /', { Cookie: 'JSESSIONID=A' })

    const located = one.strategy.locate(request, { address: '', secure: false }, wholeSite)

    expect(located).not.toBeInstanceOf(Promise)
  })

  test('is renewed by each request, and ends when idle for its age', async () => {
    const { cluster, browser, one, other } = await begun()

    for (let visit = 0; visit < 5; visit++) {
      cluster.now += 299_000
      expect((await browser.visit(other)).session.known).toBe(true)
    }
    cluster.now += 330_000

    expect((await one.locate(browser.cookie)).known).toBe(false)
  })

  test('is renewed, not bound again, by the same value set again', async () => {
    const { cluster, browser, one } = await begun()

    const visit = await browser.visit(one, { sets: ['JSESSIONID=A; Path=/'] })

    expect(visit).toMatchObject({ taken: true, session: { persistence: 'VN' } })
    expect(cluster.bound).toHaveLength(1)
    expect(cluster.touched).toHaveLength(1)
  })

  test('goes on where it lives under a new value, while the old one ages', async () => {
    const { cluster, browser, one, other } = await begun()

    cluster.now += 200_000
    const change = await browser.visit(one, { sets: ['JSESSIONID=B'] })
    expect(change).toMatchObject({ by: 'b', session: { persistence: 'VP' } })
    expect((await other.locate('JSESSIONID=B')).home).toEqual(['b'])
    expect((await other.locate('JSESSIONID=A')).home).toEqual(['b'])

    cluster.now += 131_000
    expect((await other.locate('JSESSIONID=B')).known).toBe(true)
    expect((await other.locate('JSESSIONID=A')).known).toBe(false)
  })

  test.for([['JSESSIONID=; Max-Age=0'], ['JSESSIONID=deleted; expires=Thu, 01-Jan-1970 00:00:00 GMT; path=/']])(
    'ends when the application deletes it by %j',
    async ([field]) => {
      const { browser, one, other } = await begun()

      const visit = await one.visit(browser.cookie, { sets: [field!] })

      expect(visit.session.persistence).toBe('VD')
      expect(await other.locate(browser.cookie)).toMatchObject({ known: false, persistence: 'EN' })
    },
  )

  test('that was ended begins anew where the application sets the value again', async () => {
    const { cluster, browser, one, other } = await begun()
    await cluster.memory.sessions.end((await browser.visit(one)).session.key!)

    expect(await browser.visit(one, { by: 'a' })).toMatchObject({ taken: false, session: { known: false } })
    await browser.visit(one, { by: 'c', sets: ['JSESSIONID=A'] })

    expect((await other.locate(browser.cookie)).home).toEqual(['c'])
  })

  test('that is ended while its backend works is not brought back', async () => {
    const { cluster, browser, one, other } = await begun()
    const { key } = (await browser.visit(one)).session

    await browser.visit(one, { by: 'c', meanwhile: () => cluster.memory.sessions.end(key!) })

    expect((await other.locate(browser.cookie)).known).toBe(false)
  })

  test('moves to the backend that answered when its home is away', async () => {
    const { browser, one, other } = await begun()

    const moved = await browser.visit(one, { by: 'c' })

    expect(moved.session.persistence).toBe('DU')
    expect((await other.locate(browser.cookie)).home).toEqual(['c'])
  })

  test('goes where its application began another for want of the first', async () => {
    const { cluster, browser, one } = await begun()
    const behind = cluster.node(persistenceKeyConfig(), { backends: ['a', 'c'] })

    await browser.visit(behind, { by: 'a', sets: ['JSESSIONID=B'] })

    expect((await one.locate(browser.cookie)).home).toEqual(['a'])
  })
})

describe('while the store is away', () => {
  test('a key it would have to be asked for is that of a newcomer', async () => {
    const { cluster, browser, one } = await begun()
    cluster.away = true

    expect((await one.locate(browser.cookie)).known).toBe(false)
  })

  test('a request without a key is a newcomer', async () => {
    const { cluster, one } = await begun()
    cluster.away = true

    expect((await one.locate('x=1')).known).toBe(false)
  })

  test('an answer is relayed although nobody can learn from it', async () => {
    const { cluster, one } = twoNodes()
    const meanwhile = (): void => {
      cluster.away = true
    }

    expect((await one.visit(undefined, { sets: ['JSESSIONID=A'], meanwhile })).taken).toBe(true)
    cluster.away = false
    expect(await cluster.rows()).toEqual([])
  })

  test('a logout is relayed', async () => {
    const { cluster, browser, one } = await begun()
    const meanwhile = (): void => {
      cluster.away = true
    }

    expect((await browser.visit(one, { sets: ['JSESSIONID=; Max-Age=0'], meanwhile })).taken).toBe(true)
  })
})

test('rows hold fingerprints, never values', async () => {
  const { cluster, one } = twoNodes()

  await one.visit(undefined, { sets: ['JSESSIONID=secret-value'] })

  const [row] = await cluster.rows()
  expect(row!.key.id).toMatch(/^[\w-]{22}$/)
  expect(JSON.stringify(row)).not.toContain('secret-value')
})

function twoNodes() {
  const cluster = new Cluster()
  const [one, other] = [cluster.node(persistenceKeyConfig()), cluster.node(persistenceKeyConfig())]
  return { cluster, browser: new Browser(), one, other }
}

/** A session on `b` under JSESSIONID=A. */
async function begun() {
  const parts = twoNodes()
  await parts.browser.visit(parts.one, { by: 'b', sets: ['JSESSIONID=A'] })
  return parts
}
