import { describe, expect, test } from 'vitest'
import { requestHead } from '../wire/heads.test-support.ts'
import { Browser, Cluster, type Node, sessionCookieConfig, type Visit } from './cluster.test-support.ts'
import { wholeSite } from './strategy.ts'

const age = 60_000

describe('a session begins', () => {
  test('when the application sets a cookie, and every node honours it on the next request', async () => {
    const { cluster, browser, one, other } = twoNodes()

    const first = await browser.visit(one, { by: 'b', sets: ['JSESSIONID=1; Path=/'] })
    const second = await other.locate(browser.cookie)

    expect(first.added).toEqual([expect.stringMatching(/^sticky=[\w-]{88}; Path=\/; HttpOnly; SameSite=Lax$/)])
    expect(first.session.persistence).toBe('NI')
    expect(first.keepPrivate).toBe(true)
    expect(second).toMatchObject({ known: true, home: ['b'], persistence: 'VN', key: first.session.key })
    expect(await cluster.rows()).toMatchObject([{ backend: 'b', source: 'session-cookie', age }])
  })

  test.for([
    ['on-cookie', [], false],
    ['on-cookie', ['a=1; Max-Age=0'], false],
    ['on-cookie', ['a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'b=; max-age=-1'], false],
    ['on-cookie', ['a=1; Max-Age=0', 'b=2'], true],
    ['on-cookie', ['sticky=forged'], false],
    ['on-cookie', ['nonsense'], false],
    ['always', [], true],
    [{ cookies: ['JSESSIONID', 'sid'] }, ['sid=1'], true],
    [{ cookies: ['JSESSIONID', 'sid'] }, ['jsessionid=1', 'other=2'], false],
    [{ cookies: ['JSESSIONID'] }, ['JSESSIONID=; Max-Age=0'], false],
  ] as const)('%j, on a response that sets %j: %s', async ([begin, sets, begins]) => {
    const cluster = new Cluster()
    const visit = await cluster.node(sessionCookieConfig({ begin })).visit(undefined, { sets })

    expect(visit.taken).toBe(begins)
    expect(visit.added).toHaveLength(begins ? 1 : 0)
    expect(visit.session.key === undefined).toBe(!begins)
    expect(await cluster.rows()).toHaveLength(begins ? 1 : 0)
  })

  test('twice when a client sends two first requests at once, and the last cookie counts', async () => {
    const { cluster, browser, one, other } = twoNodes()

    await Promise.all([
      browser.visit(one, { by: 'a', sets: ['id=1'] }),
      browser.visit(other, { by: 'b', sets: ['id=2'] }),
    ])

    expect(await cluster.rows()).toHaveLength(2)
    expect((await one.locate(browser.cookie)).home).toHaveLength(1)
  })

  test('never by the request alone', async () => {
    const { cluster, one } = twoNodes()

    await one.locate(undefined)
    await one.locate('sticky=x; JSESSIONID=1')

    expect(await cluster.rows()).toEqual([])
  })
})

describe('a known session', () => {
  test('shows its backend every cookie but ours', async () => {
    const { browser, one } = await begun()

    const { sent } = await one.visit(`a="1; ${browser.cookie}; sticky=other; b=2"`)

    expect(sent).toBe('a="1; id=1; b=2"')
  })

  test('with no cookie but ours sends none', async () => {
    const { browser, one } = await begun()

    expect((await one.visit(`sticky=${browser.jar.get('sticky')}`)).sent).toBeUndefined()
  })

  test('is renewed by each request, and its client told nothing new', async () => {
    const { cluster, browser, one, other } = await begun()

    const visits = [await browser.visit(one), await browser.visit(other)]

    expect(visits.map(({ added }) => added)).toEqual([[], []])
    expect(cluster.touched).toHaveLength(2)
    expect(cluster.bound).toHaveLength(1)
  })

  test('answers without a promise', async () => {
    const { browser, one } = await begun()

    const located = one.strategy.locate(
      requestHead('GET /', { Cookie: browser.cookie }),
      { address: '', secure: false },
      wholeSite,
    )

    expect(located).not.toBeInstanceOf(Promise)
  })

  test('gets a fresh cookie once per half age, under the same id', async () => {
    const { cluster, browser, one, other } = await begun()
    const before = browser.cookie

    cluster.now += age / 2
    expect((await browser.visit(one)).added).toEqual([])
    cluster.now += 1
    const told = await browser.visit(other)
    const after = await browser.visit(one)

    expect(told.session.persistence).toBe('VU')
    expect(told.added).toHaveLength(1)
    expect(browser.cookie).not.toBe(before)
    expect(after).toMatchObject({ added: [], session: { key: told.session.key } })
  })

  test('gets a fresh cookie when the sealing key changes', async () => {
    const cluster = new Cluster()
    const node = cluster.node(sessionCookieConfig(), { secrets: ['new', 'old'], opens: ['old'] })
    const { browser } = await begun({ cluster, node })

    node.keyring.update({ secrets: ['new', 'old'], openedByAll: [] })
    expect((await browser.visit(node)).added).toEqual([])
    const upgraded = cluster.node(sessionCookieConfig(), { secrets: ['new', 'old'] })

    expect((await browser.visit(upgraded)).added).toHaveLength(1)
    expect((await browser.visit(upgraded)).added).toEqual([])
  })

  test('is recognised by the first valid one of several cookies of our name', async () => {
    const { browser, one } = await begun()
    const stranger = new Browser()
    await stranger.visit(one, { by: 'c', sets: ['id=2'] })
    const [mine, theirs] = [browser, stranger].map(({ jar }) => jar.get('sticky'))

    expect((await one.locate(`sticky=forged; sticky="${mine}"; sticky=${theirs}`)).home).toEqual(['a'])
    expect((await one.locate(`sticky=${theirs}; sticky=${mine}`)).home).toEqual(['c'])
  })
})

describe('a cookie that is not ours', () => {
  test.for(['1', '12abc', '-1', '', '"', 'A'.repeat(88), 'a'.repeat(5000), '__proto__'])(
    '%j is taken for none: its bearer is a newcomer with an id of our making',
    async (value) => {
      const { cluster, one } = twoNodes()

      const visit = await one.visit(`sticky=${value}; id=1`, { sets: ['id=1'] })

      expect(visit.session.persistence).toBe('II')
      expect(visit.sent).toBe('id=1')
      expect(visit.added).toHaveLength(1)
      const [row] = await cluster.rows()
      expect(row!.key.id).not.toBe(value.slice(0, 22))
    },
  )

  test('is one sealed for another pool, or by another cluster', async () => {
    const { browser } = await begun()
    const foreign = new Cluster().node(sessionCookieConfig(), { secrets: ['another'] })

    expect(await foreign.locate(browser.cookie)).toMatchObject({ known: false, persistence: 'IN' })
  })
})

describe('a session is over', () => {
  test('when it was idle for its age', async () => {
    const { cluster, browser, one } = await begun()

    cluster.now += age * 1.1
    const visit = await browser.visit(one, { by: 'b', sets: ['id=2'] })

    expect(visit.session.persistence).toBe('EI')
    expect((await one.locate(browser.cookie)).home).toEqual(['b'])
  })

  test('not while it is used, however long that is', async () => {
    const { cluster, browser, one } = await begun()

    for (let visit = 0; visit < 10; visit++) {
      cluster.now += age * 0.9
      expect((await browser.visit(one)).session.known).toBe(true)
    }
  })

  test('after its lifetime, used or not', async () => {
    const { cluster, browser, one } = await begun({ config: { lifetime: 100_000 } })

    cluster.now += 50_000
    expect((await browser.visit(one)).session.known).toBe(true)
    cluster.now += 50_000

    expect(await one.locate(browser.cookie)).toMatchObject({ known: false, persistence: 'ON' })
  })

  test('on every node when an operator ends it; the next one has a new id', async () => {
    const { cluster, browser, one, other } = await begun()
    const { key } = (await browser.visit(one)).session

    await cluster.memory.sessions.end(key!)
    const visit = await browser.visit(other, { by: 'b', sets: ['id=2'] })

    expect(visit.session.persistence).toBe('EI')
    expect(visit.session.key).not.toEqual(key)
  })

  test('when it is ended while its backend works, and the response brings it back no more', async () => {
    const { cluster, browser, one } = await begun()
    const { key } = (await browser.visit(one)).session

    const visit = await browser.visit(one, { by: 'b', meanwhile: () => cluster.memory.sessions.end(key!) })

    expect(visit.added).toEqual([])
    expect(await one.locate(browser.cookie)).toMatchObject({ known: false })
  })
})

describe('cookies of the application', () => {
  test('are rows of the session, each with its own age', async () => {
    const { cluster, browser, one } = await begun({
      sets: ['a=1; Max-Age=10; Path=/; HttpOnly', 'b=2; Expires=Tue, 14 Nov 2023 22:13:40 GMT', 'c=3'],
      config: { cookieAge: 30_000 },
    })

    await browser.visit(one, { sets: ['d=4; max-age=40', 'c=; Max-Age=0'] })

    const [row] = await cluster.rows()
    expect(row!.cookies.map(({ name, expires, attributes }) => [name, expires - cluster.now, attributes])).toEqual([
      ['a', 10_000, 'Path=/; HttpOnly'],
      ['b', 20_000, ''],
      ['d', 40_000, ''],
    ])
  })

  test('have fingerprints for values', async () => {
    const { cluster } = await begun({ sets: ['a=secret-value'] })

    const [row] = await cluster.rows()
    expect(row!.cookies[0]!.fingerprint).toMatch(/^[\w-]{11}$/)
    expect(JSON.stringify(row)).not.toContain('secret-value')
  })

  test('end the session with the last of them: by age', async () => {
    const { cluster, browser, one } = await begun({
      sets: ['a=1; Max-Age=10', 'b=2; Max-Age=20'],
      config: { ends: 'last-cookie' },
    })

    cluster.now += 19_000
    expect((await browser.visit(one)).session.known).toBe(true)
    cluster.now += 1000

    expect(await one.locate(browser.cookie)).toMatchObject({ known: false, persistence: 'EN' })
  })

  test('end the session with the last of them: by a logout', async () => {
    const { browser, one, other } = await begun({ sets: ['a=1', 'b=2'], config: { ends: 'last-cookie' } })

    await browser.visit(one, { sets: ['a=; Max-Age=0'] })
    expect((await other.locate(browser.cookie)).known).toBe(true)
    await browser.visit(one, { sets: ['b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT'] })

    expect((await other.locate(browser.cookie)).known).toBe(false)
  })

  test('do not end a session that ends by age', async () => {
    const { browser, one, other } = await begun({ sets: ['a=1'] })

    await browser.visit(one, { sets: ['a=; Max-Age=0'] })

    expect((await other.locate(browser.cookie)).known).toBe(true)
  })

  test('of our name cannot take the place of ours', async () => {
    const { browser, one, other } = await begun()

    const visit = await browser.visit(one, { sets: ['sticky=stolen'] })

    expect(visit.added).toHaveLength(1)
    expect((await other.locate(browser.cookie)).known).toBe(true)
  })
})

describe('a session whose home is away', () => {
  test('moves to the backend that answered, and its client is told with that answer', async () => {
    const { cluster, browser, one, other } = await begun()

    const moved = await browser.visit(one, { by: 'b' })

    expect(moved.session.persistence).toBe('DU')
    expect(moved.added).toHaveLength(1)
    expect((await other.locate(browser.cookie)).home).toEqual(['b'])
    expect(await cluster.rows()).toMatchObject([{ backend: 'b', key: moved.session.key }])
  })

  test('moves for every cookie its client may still have', async () => {
    const { browser, one, other } = await begun()
    const old = browser.cookie

    await browser.visit(one, { by: 'b' })
    const late = await other.visit(old)

    expect(late.by).toBe('b')
    expect(late.added).toHaveLength(1)
  })

  test('moves once: the second of two nodes adopts what the first did', async () => {
    const { browser, one, other } = await begun()
    const old = browser.cookie

    const late = await one.visit(old, { by: 'c', meanwhile: () => browser.visit(other, { by: 'b' }) })

    const cookie = late.added[0]!.split(';')[0]
    expect((await one.locate(cookie)).home).toEqual(['b'])
    expect((await one.locate(browser.cookie)).home).toEqual(['b'])
  })

  test('keeps its cookies, its beginning and its end when it moves', async () => {
    const { cluster, browser, one } = await begun({ sets: ['a=1'], config: { lifetime: 1_000_000 } })
    const [before] = await cluster.rows()

    cluster.now += 1000
    await browser.visit(one, { by: 'b', sets: ['b=2'] })

    const [after] = await cluster.rows()
    expect(after).toMatchObject({ created: before!.created, end: before!.end })
    expect(after!.cookies.map(({ name }) => name)).toEqual(['a', 'b'])
  })

  test('begins anew where it moved when it expired meanwhile', async () => {
    const { cluster, browser, one } = await begun()

    await browser.visit(one, {
      by: 'b',
      meanwhile: () => {
        cluster.now += age * 2
      },
    })

    expect((await one.locate(browser.cookie)).home).toEqual(['b'])
  })
})

describe('when the store forgot', () => {
  test('sessions go on where their cookies say, and are written back with the answer', async () => {
    const { cluster, browser, one, other } = await begun({ by: 'b' })
    cluster.forget()

    const back = await browser.visit(other)

    expect(back).toMatchObject({ by: 'b', session: { persistence: 'VU' } })
    expect(await cluster.rows()).toMatchObject([{ backend: 'b', key: back.session.key }])
    expect((await browser.visit(one)).added).toEqual([])
  })

  test('a session past its natural end is believed a while longer, since its shard is another', async () => {
    const { cluster, browser, one } = await begun({ by: 'b' })
    cluster.now += 1
    cluster.forget()

    cluster.now += age * 1.4
    expect((await one.locate(browser.cookie)).home).toEqual(['b'])
    cluster.now += age * 0.1
    expect((await one.locate(browser.cookie)).known).toBe(false)
  })

  test('a move, the cookie that was told of it brings it back', async () => {
    const { cluster, browser, one, other } = await begun({ by: 'a' })
    const [before] = await cluster.rows()
    cluster.now += 1000
    await browser.visit(one, { by: 'b' })

    cluster.now -= 1000
    cluster.forget()
    await cluster.memory.sessions.bind(before!.key, 'a', 0, { age, source: before!.source })
    cluster.now += 1000
    const back = await browser.visit(other)

    expect(back.by).toBe('b')
    expect(await cluster.rows()).toMatchObject([{ backend: 'b' }])
  })
})

describe('while the store is away', () => {
  test('a session keeps the backend its cookie means, on any node', async () => {
    const { cluster, browser, other } = await begun({ by: 'b' })
    cluster.away = true

    const visit = await browser.visit(other)

    expect(visit).toMatchObject({ by: 'b', taken: true, added: [], session: { known: true, persistence: 'VN' } })
  })

  test('a session keeps its backend as long as it lasts, told again each half age', async () => {
    const { cluster, browser, other } = await begun({ by: 'b' })
    cluster.away = true

    for (let visit = 0; visit < 5; visit++) {
      cluster.now += age * 0.6
      expect(await browser.visit(other)).toMatchObject({ by: 'b', added: [expect.any(String)] })
    }
    cluster.away = false
    cluster.forget()

    expect((await browser.visit(other)).by).toBe('b')
  })

  test('an answer that should begin a session is relayed, its cookie provisional', async () => {
    const { cluster, browser, one, other } = twoNodes()

    const first = await browser.visit(one, {
      by: 'b',
      sets: ['id=1'],
      meanwhile: () => {
        cluster.away = true
      },
    })
    expect(first.added).toHaveLength(1)
    expect(await cluster.rows()).toEqual([])
    expect((await browser.visit(other)).by).toBe('b')

    cluster.away = false
    cluster.now += age * 10
    const back = await browser.visit(other)

    expect(back).toMatchObject({ by: 'b', session: { key: first.session.key, persistence: 'VU' } })
    expect(await cluster.rows()).toMatchObject([{ backend: 'b' }])
  })

  test('a move nobody could confirm is made good when the store is back', async () => {
    const { cluster, browser, one, other } = await begun({ by: 'a' })

    const moved = await browser.visit(one, {
      by: 'b',
      meanwhile: () => {
        cluster.away = true
      },
    })
    expect(moved.added).toHaveLength(1)
    cluster.away = false
    expect(await cluster.rows()).toMatchObject([{ backend: 'a' }])
    await browser.visit(other)

    expect(await cluster.rows()).toMatchObject([{ backend: 'b' }])
  })

  test('a move made while the row could not be read does not undo what another node did', async () => {
    const { cluster, browser, one, other } = await begun({ by: 'a' })
    const old = browser.cookie
    await browser.visit(other, { by: 'c' })
    cluster.away = true

    const late = await one.visit(old, {
      by: 'b',
      meanwhile: () => {
        cluster.away = false
      },
    })

    expect((await one.locate(late.added[0]!.split(';')[0])).home).toEqual(['c'])
  })

  test('an ended session may go on, and is over as soon as the store tells', async () => {
    const { cluster, browser, one, other } = await begun({ by: 'b' })
    await cluster.memory.sessions.end((await browser.visit(one)).session.key!)

    cluster.away = true
    expect((await other.locate(browser.cookie)).home).toEqual(['b'])
    cluster.away = false
    expect((await other.locate(browser.cookie)).known).toBe(false)
  })
})

describe('our cookie', () => {
  test.for([
    [{}, false, 'sticky=V; Path=/; HttpOnly; SameSite=Lax'],
    [{}, true, '__Host-sticky=V; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ path: '/shop' }, true, 'sticky=V; Path=/shop; HttpOnly; Secure; SameSite=Lax'],
    [{ domain: 'a.com' }, true, 'sticky=V; Path=/; Domain=a.com; HttpOnly; Secure; SameSite=Lax'],
    [{ secure: true }, false, '__Host-sticky=V; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ secure: false }, true, 'sticky=V; Path=/; HttpOnly; SameSite=Lax'],
    [{ prefix: 'none', httpOnly: false, sameSite: undefined }, true, 'sticky=V; Path=/; Secure'],
    [{ prefix: 'secure', secure: true }, true, '__Secure-sticky=V; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [
      { sameSite: 'None', partitioned: true, secure: true },
      true,
      '__Host-sticky=V; Path=/; HttpOnly; Secure; SameSite=None; Partitioned',
    ],
  ] as const)('as configured by %j, over TLS %s: %s', async ([config, secure, expected]) => {
    const node = new Cluster().node(sessionCookieConfig({ ...config, begin: 'always' }))

    const { added } = await node.visit(undefined, { secure })

    expect(added[0]!.replace(/=[\w-]{88}/, '=V')).toBe(expected)
  })

  test('that came by its plain name is set by its better one over TLS, once', async () => {
    const { browser, one } = await begun()

    const [upgraded, after] = [await browser.visit(one, { secure: true }), await browser.visit(one, { secure: true })]

    expect(upgraded.added).toEqual([expect.stringMatching(/^__Host-sticky=/)])
    expect(after).toMatchObject({ added: [], sent: 'id=1' })
  })

  test('leaves caching alone when told to', async () => {
    const node = new Cluster().node(sessionCookieConfig({ begin: 'always', cachePrivate: false }))

    expect((await node.visit(undefined)).keepPrivate).toBe(false)
  })

  test('says nothing of its backend', async () => {
    const cluster = new Cluster()
    const node = cluster.node(sessionCookieConfig({ begin: 'always' }), { backends: ['secret-backend'] })

    const { added } = await node.visit(undefined, { by: 'secret-backend' })

    const value = added[0]!.slice('sticky='.length).split(';')[0]!
    for (const text of [value, Buffer.from(value, 'base64url').toString('latin1')])
      expect(text).not.toContain('backend')
  })
})

function twoNodes(config = sessionCookieConfig()) {
  const cluster = new Cluster()
  return { cluster, browser: new Browser(), one: cluster.node(config), other: cluster.node(config) }
}

interface Beginning {
  readonly by?: string
  readonly sets?: readonly string[]
  readonly config?: Partial<ReturnType<typeof sessionCookieConfig>>
  readonly cluster?: Cluster
  readonly node?: Node
}

/** A session that has just begun on node `one`. */
async function begun({ by = 'a', sets = ['id=1'], config = {}, cluster = new Cluster(), node }: Beginning = {}) {
  const full = sessionCookieConfig(config)
  const [one, other] = [node ?? cluster.node(full), cluster.node(full)]
  const browser = new Browser()
  const first: Visit = await browser.visit(one, { by, sets })
  expect(first.added).toHaveLength(1)
  return { cluster, browser, one, other }
}
